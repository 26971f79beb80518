"""What one user is worth to a model, and where an example says so.

The paired metrics compare two sources of such values. A source need not be a model: whatever gives
a user's value from the extracts of an example will do.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from tensorflow_model_analysis import metrics

from components.ranking_metrics.predictions import feature, has_output, output
from trainer.evaluation.metrics import basket_values
from trainer.raw_history import CLUSTER_ID, FREE_ITEM_IDS, NOISE, TARGET_ITEM_IDS
from trainer.serving.baseline_recommender import FREE


class Answer(NamedTuple):
    """What is said about one user.

    Attributes:
        places: ascending, where the items that the user took next stand in the whole list.
        wanted: how many distinct items the user took.
    """

    places: tuple[int, ...]
    wanted: int


class ValueSource(Protocol):
    """Says what each user is worth."""

    @property
    def name(self) -> str:
        """No two sources that differ share it."""

    def answer(self, extracts: dict[str, Any]) -> Answer | None:
        """What is said about the user of an example; None where the user took nothing next.

        Two sources with the same answer for every user do the same; with the same values they need
        not.
        """

    def value(self, answer: Answer) -> float:
        """What an answer is worth, in [0, 1]."""

    def free(self, extracts: dict[str, Any]) -> bool:
        """Whether the source costs no training, so that a model must be better than it."""


@dataclass(frozen=True)
class _HeldOutGain(ABC):
    """NDCG@k of everything that a user took next, in a list of items; of one item, its NDCG@k.

    Attributes:
        k: cut-off.
    """

    k: int

    def answer(self, extracts: dict[str, Any]) -> Answer | None:
        """Where the held-out items stand in the list."""
        wanted = set(feature(extracts, TARGET_ITEM_IDS).tolist())
        if not wanted:
            return None
        listed = enumerate(self.listed(extracts), 1)
        places = tuple(place for place, item in listed if item in wanted)
        return Answer(places, len(wanted))

    def value(self, answer: Answer) -> float:
        """NDCG@k of the places."""
        missed = answer.wanted - len(answer.places)
        ranks = np.array([*answer.places, *[0] * missed], np.int64)
        return float(basket_values(ranks, np.array([0, ranks.size]), f"basket_ndcg@{self.k}")[0])

    @abstractmethod
    def listed(self, extracts: dict[str, Any]) -> list[bytes]:
        """The list, best first; padding may follow."""


@dataclass(frozen=True)
class ModelGain(_HeldOutGain):
    """Of the list that a model recommends.

    Attributes:
        model: its name.
    """

    model: str

    @property
    def name(self) -> str:
        """See `ValueSource`."""
        return f"basket_ndcg@{self.k}:{self.model}"

    def listed(self, extracts: dict[str, Any]) -> list[bytes]:
        """The model's output `recommended`."""
        found: list[bytes] = output(extracts, self.model, "recommended").ravel().tolist()
        return found

    def free(self, extracts: dict[str, Any]) -> bool:
        """Whether the model says so itself (`BaselineRecommender.evaluate`)."""
        return has_output(extracts, self.model, FREE)


@dataclass(frozen=True)
class FreeListGain(_HeldOutGain):
    """Of the list that the best free baseline recommends, which stands in the example."""

    @property
    def name(self) -> str:
        """See `ValueSource`."""
        return f"basket_ndcg@{self.k} of {FREE_ITEM_IDS}"

    def listed(self, extracts: dict[str, Any]) -> list[bytes]:
        """The feature `free_item_ids`."""
        found: list[bytes] = feature(extracts, FREE_ITEM_IDS).tolist()
        if not found:
            raise ValueError(
                f"an example has no feature {FREE_ITEM_IDS!r}; give the Evaluator the examples "
                "`judged` of ClusterCombiner"
            )
        return found

    def free(self, extracts: dict[str, Any]) -> bool:
        """Always."""
        return True


class UserPair(NamedTuple):
    """One user, as two sources see him.

    Attributes:
        candidate: the candidate's value.
        baseline: the value of what it is compared with.
        alike: whether both gave the same answer.
        free: whether the baseline costs no training.
        cluster: the user's; -1 without one.
    """

    candidate: float
    baseline: float
    alike: bool
    free: bool
    cluster: int


class PairPreprocessor(metrics.Preprocessor):
    """Reduces an example to a `UserPair`, or to () where a source has no answer.

    Slicing repeats what a preprocessor leaves for every slice, so that is kept small.
    """

    def __init__(self, candidate: ValueSource, baseline: ValueSource):
        """Keeps the sources."""
        super().__init__(name=f"pair:{candidate.name},{baseline.name}")
        self._candidate, self._baseline = candidate, baseline

    def process(self, extracts: dict[str, Any]) -> Iterator[UserPair | tuple[()]]:
        """Yields one pair. (To TFMA, None would mean that it shall choose the input itself.)"""
        first, second = self._candidate.answer(extracts), self._baseline.answer(extracts)
        if first is None or second is None:
            yield ()
            return
        cluster = feature(extracts, CLUSTER_ID)
        yield UserPair(
            candidate=self._candidate.value(first),
            baseline=self._baseline.value(second),
            alike=first == second,
            free=self._baseline.free(extracts),
            cluster=int(cluster[0]) if cluster.size else NOISE,
        )
