"""Recommendations from an exported model, for a history of item ids or for stored histories."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tfx_pipeline.inputs import InputError
from tfx_pipeline.served import item_titles

SECONDS_PER_DAY = 86_400


@dataclasses.dataclass(frozen=True)
class Recommendation:
    """One recommended item."""

    rank: int
    item_id: str
    title: str
    score: float


class Recommender:
    """A loaded SavedModel."""

    def __init__(self, model: Path) -> None:
        """Loads a model.

        Args:
            model: folder of the SavedModel.

        Raises:
            InputError: if the model has no signature `recommend`.
        """
        import tensorflow as tf

        # Kept beside the signatures: they hold no reference to the model's variables.
        self._model: Any = tf.saved_model.load(str(model))
        self._signatures: Any = self._model.signatures
        self._titles = item_titles(model)
        missing = {"recommend", "serving_default"} - set(self._signatures)
        if missing:
            raise InputError(f"the model at {str(model)!r} has no signature {min(missing)!r}")

    def title(self, item_id: str) -> str:
        """What the item is called; empty when the model does not know."""
        return self._titles.get(item_id, "")

    def unknown(self, history: Sequence[str]) -> list[str]:
        """Items of a history that the model's catalogue does not list."""
        return [item for item in history if self._titles and item not in self._titles]

    def for_items(self, history: Sequence[str], action: str, k: int) -> list[Recommendation]:
        """Recommends after a history of item ids, taken as one event a day up to now.

        Args:
            history: item ids, oldest first; may be empty or hold unknown ids.
            action: what was done with each of them.
            k: how many recommendations; the model may have fewer.
        """
        import tensorflow as tf

        now = int(time.time())
        ages = range(len(history), 0, -1)
        # An empty history is one padded place.
        answer = self._signatures["recommend"](
            item_ids=tf.constant([list(history) or [""]]),
            actions=tf.constant([[action] * len(history) or [""]]),
            timestamps=tf.constant(
                [[now - age * SECONDS_PER_DAY for age in ages] or [0]], dtype=tf.int64
            ),
        )
        return self._answer(answer, k)

    def for_example(self, example: bytes, k: int) -> list[Recommendation]:
        """Recommends after a stored history, a serialized `tf.Example`."""
        import tensorflow as tf

        answer = self._signatures["serving_default"](examples=tf.constant([example]))
        return self._answer(answer, k)

    def _answer(self, answer: dict[str, Any], k: int) -> list[Recommendation]:
        items = [item.decode("utf-8", "replace") for item in answer["item_ids"].numpy()[0]]
        scores = answer["scores"].numpy()[0]
        return [
            Recommendation(rank, item, self.title(item), float(score))
            for rank, (item, score) in enumerate(zip(items, scores, strict=True), start=1)
            if item and rank <= k
        ]


def parse_history(text: str) -> list[str]:
    """Item ids from a comma-separated list; quotes keep a comma inside an id (CSV rules)."""
    import csv

    row = next(csv.reader([text], skipinitialspace=True), [])
    return [item for item in row if item]
