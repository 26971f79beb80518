"""Recommendations with titles, from a model in this process or on a server."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Sequence
from pathlib import Path

from cohortrec_client import Asks, Client, History, Recommendations, ServingError, Shelf
from tfx_pipeline.paths.inputs import InputError
from tfx_pipeline.serving.served import item_titles
from trainer.shown_text import LONGEST_TITLE, shown_text


@dataclasses.dataclass(frozen=True)
class Recommendation:
    """One recommended item, as it is shown."""

    rank: int
    item_id: str
    title: str
    score: float


class TitledRecommender:
    """A model and the titles of its items."""

    def __init__(self, client: Client, titles: Path | None = None) -> None:
        """Wraps a client.

        Args:
            client: asks the model, wherever it is.
            titles: SavedModel folder whose item titles are shown; servers give none.
        """
        self._client = client
        self._titles = item_titles(titles) if titles is not None else {}

    @classmethod
    def of_model(cls, model: Path) -> TitledRecommender:
        """Loads a SavedModel, with TensorFlow, into this process."""
        from tfx_pipeline.serving.local_model import LocalModel

        return cls(Client(LocalModel(model)), model)

    def title(self, item_id: str) -> str:
        """What the item is called, in one line; empty when the model does not know."""
        return shown_text(self._titles.get(item_id, ""), LONGEST_TITLE)

    def unknown(self, history: Sequence[str]) -> list[str]:
        """Items of a history that the model's catalogue does not list."""
        return [item for item in history if self._titles and item not in self._titles]

    def for_items(
        self,
        history: Sequence[str],
        action: str,
        k: int,
        shelf: Shelf = "all",
        asks: Asks = "target",
    ) -> list[Recommendation]:
        """Recommends after a history of item ids, taken as one event a day up to now.

        Args:
            history: item ids, oldest first; may be empty or hold unknown ids.
            action: what was done with each of them.
            k: how many recommendations; the model may have fewer.
            shelf: which items may be listed.
            asks: for a target action or for any event.

        Raises:
            InputError: the model is not one of ours or does not serve what is asked, or the server
                does not answer.
        """
        try:
            answer = self._client.recommend(History(history, action), shelf, asks)
            return self._answer(answer, k)
        except ServingError as error:
            raise InputError(str(error)) from None

    def for_example(self, example: bytes, k: int) -> list[Recommendation]:
        """Recommends after a stored history, a serialized `tf.Example`."""
        (answer,) = self._client.recommend_examples([example])
        return self._answer(answer, k)

    def _answer(self, answer: Recommendations, k: int) -> list[Recommendation]:
        return [
            Recommendation(rank, shown_id(item), self.title(item), score)
            for rank, (item, score) in enumerate(answer, start=1)
            if rank <= k
        ]


def shown_id(item_id: str) -> str:
    """The id as text that can be printed: bytes that are no UTF-8 become a replacement mark."""
    return item_id.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def parse_history(text: str) -> list[str]:
    """Item ids from a comma-separated list; quotes keep a comma inside an id (CSV rules).

    Spaces around an id do not count, and places without an id are passed over.

    Raises:
        InputError: the list is of several lines, or a quote is not closed.
    """
    if len(text.splitlines()) > 1:
        raise InputError(
            "--history holds a line break: write the ids in one line, with commas between them"
        )
    try:
        row = next(csv.reader([text.strip()], skipinitialspace=True, strict=True), [])
    except csv.Error as error:
        raise InputError(
            f"--history cannot be read as a list of ids: {error}; an id with a comma stands in "
            'double quotes ("a,b"), and a quote inside them is doubled'
        ) from None
    return [item for given in row if (item := given.strip())]
