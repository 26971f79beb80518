"""What one user is worth to a model, and where an example says so.

The paired metrics compare two sources of such values. A source need not be a model, nor its value
that of one next item: whatever gives a user's value from the extracts of an example will do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from tensorflow_model_analysis import metrics

from components.ranking_metrics.predictions import feature, has_output, output
from trainer.evaluation.metrics import user_values
from trainer.raw_history import CLUSTER_ID, NOISE
from trainer.serving.baseline_recommender import FREE


class ValueSource(Protocol):
    """Says what each user is worth."""

    @property
    def name(self) -> str:
        """No two sources that differ share it."""

    def answer(self, extracts: dict[str, Any]) -> float | None:
        """What is said about the user of an example; None where nothing is.

        Two sources with the same answer for every user do the same; with the same values they need
        not.
        """

    def value(self, answer: float) -> float:
        """What an answer is worth, in [0, 1]."""

    def free(self, extracts: dict[str, Any]) -> bool:
        """Whether the source costs no training, so that a model must be better than it."""


@dataclass(frozen=True)
class NextItemGain:
    """NDCG@k of the next item, from the rank that a model gives it.

    Attributes:
        model: name of the model.
        k: cut-off.
    """

    model: str
    k: int

    @property
    def name(self) -> str:
        """See `ValueSource`."""
        return f"ndcg@{self.k}:{self.model}"

    def answer(self, extracts: dict[str, Any]) -> float | None:
        """The rank; None for an example without a target."""
        rank = float(output(extracts, self.model, "rank").item())
        return rank if rank > 0 else None

    def value(self, answer: float) -> float:
        """NDCG@k of the rank."""
        return float(user_values(np.array([int(answer)]), f"ndcg@{self.k}")[0])

    def free(self, extracts: dict[str, Any]) -> bool:
        """Whether the model says so itself (`BaselineRecommender.evaluate`)."""
        return has_output(extracts, self.model, FREE)


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
