"""Item-based nearest neighbours: items whose users are the users of what one has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from trainer.evaluation.baselines.baseline import Baseline, NotApplicable
from trainer.evaluation.baselines.catalogue_order import random_order
from trainer.evaluation.baselines.event_log import EventLog
from trainer.evaluation.baselines.own_items_first import BY_FREQUENCY, Aging
from trainer.evaluation.baselines.sparse_ranks import ItemScores
from trainer.evaluation.compared_models import ITEM_KNN

Indices = npt.NDArray[np.int64]

_NEIGHBOURS = (20, 100)
_MOST_PRODUCTS = 3_000_000_000
"""Pairs of items of one user, over all users: about 10 ns each."""
_MOST_ENTRIES = 60_000_000
"""Items times neighbours that are held in memory, at 12 bytes each."""
_ROWS = 512


@dataclass(frozen=True)
class ItemKnnConstants:
    """What item-based nearest neighbours leave open.

    Attributes:
        neighbours: how many similar items an item of the history recommends.
        normalised: whether the similarities that an item gives add up to 1, so that items with
            many close neighbours do not lead.
        aging: how much the events of the history count by their age.
    """

    neighbours: int = _NEIGHBOURS[-1]
    normalised: bool = False
    aging: Aging = BY_FREQUENCY

    def __str__(self) -> str:
        normalised = ", normalised" if self.normalised else ""
        return f"{self.neighbours} neighbours{normalised}, history by {self.aging}"


class ItemKnn(Baseline[ItemKnnConstants]):
    """Ranks items by their similarity to those of the history; all else by popularity.

    The similarity of two items is the cosine of the sets of their users (Sarwar et al. 2001,
    "Item-based collaborative filtering recommendation algorithms"); each item keeps its k most
    similar ones, and a history adds up what its items give (Deshpande and Karypis 2004,
    "Item-based top-N recommendation algorithms", also for the normalisation).

    Args:
        training: the training log.
        places: order of the items without a score, see `catalogue_places`.
        seed: draws which of equally similar items are kept.

    Raises:
        NotApplicable: histories or catalogue are too large.
    """

    kind = ITEM_KNN
    search_users = 400
    start = ItemKnnConstants()

    def __init__(self, training: EventLog, places: Indices, seed: int) -> None:
        self._items = training.items
        self._places = places
        self._users = training.distinct
        self._ties = random_order(training.items + 1, seed).astype(np.uint64)
        products = float((np.diff(self._users.indptr).astype(np.float64) ** 2).sum())
        if products > _MOST_PRODUCTS:
            raise NotApplicable(
                f"the histories hold {products:.2g} pairs of items; item-kNN takes at most "
                f"{_MOST_PRODUCTS:.2g}"
            )
        if training.items * max(_NEIGHBOURS) > _MOST_ENTRIES:
            raise NotApplicable(
                f"{training.items} items with {max(_NEIGHBOURS)} neighbours each are more than "
                f"{_MOST_ENTRIES:.2g}"
            )
        self.grid: dict[str, Sequence[Any]] = {
            "aging": (BY_FREQUENCY, Aging("instants", 1.0)),
            "neighbours": _NEIGHBOURS,
            "normalised": (False, True),
        }

    def scores(self, log: EventLog, constants: Sequence[ItemKnnConstants]) -> Iterator[ItemScores]:
        """See `Baseline.scores`."""
        for each in constants:
            weights = each.aging.weights(log)
            # Classical item-kNN reads the history as a set.
            history = log.distinct if each.aging.unit == "none" else log.sums(weights)
            scores = history @ self._model(each.neighbours, each.normalised)
            # In which order a sum is taken must decide no tie.
            yield ItemScores(scores.astype(np.float32), self._places)

    def neighbours(self, most: int) -> tuple[Indices, npt.NDArray[np.float64]]:
        """Each item's nearest neighbours, and their similarities, which add up to 1.

        Args:
            most: neighbours of an item, at most 100.

        Returns:
            int64 [items + 1, most] item indices, 0 = none, and float64 of the same shape.
        """
        item, neighbour, similarity, rank = self._nearest
        kept = rank < most
        places = item[kept], rank[kept]
        found = np.zeros((self._items + 1, most), np.int64)
        similarities = np.zeros(found.shape)
        found[places], similarities[places] = neighbour[kept], similarity[kept]
        total = similarities.sum(axis=1, keepdims=True)
        return found, similarities / np.where(total > 0, total, 1.0)

    def _model(self, neighbours: int, normalised: bool) -> sp.csr_matrix:
        """[items + 1, items + 1]: what an item gives to its nearest neighbours."""
        item, neighbour, similarity, rank = self._nearest
        kept = rank < neighbours
        shape = (self._items + 1, self._items + 1)
        model = sp.csr_matrix((similarity[kept], (item[kept], neighbour[kept])), shape)
        if normalised:
            total = np.asarray(model.sum(axis=1)).ravel()
            model = sp.diags(1.0 / np.where(total > 0, total, 1.0)) @ model
        return model

    @cached_property
    def _nearest(self) -> tuple[Indices, Indices, npt.NDArray[np.float64], Indices]:
        """Items, their nearest neighbours, the similarities, and their ranks among these."""
        users_of = np.bincount(self._users.indices, minlength=self._items + 1)
        scale = sp.diags(1.0 / np.sqrt(np.maximum(users_of, 1.0)))
        columns = (self._users @ scale).tocsr()
        rows = columns.T.tocsr()
        parts = []
        for start in range(0, self._items + 1, _ROWS):
            block = (rows[start : start + _ROWS] @ columns).tocsr()
            parts += [self._row(start + i, block, i) for i in range(block.shape[0])]
        item = np.repeat(np.arange(len(parts)), [len(part[0]) for part in parts])
        rank = np.concatenate([np.arange(len(part[0])) for part in parts])
        neighbour, similarity = (np.concatenate(column) for column in zip(*parts, strict=True))
        return item, neighbour, similarity, rank

    def _row(
        self, item: int, block: sp.csr_matrix, row: int
    ) -> tuple[Indices, npt.NDArray[np.float64]]:
        """The nearest neighbours of one item, nearest first."""
        entries = slice(block.indptr[row], block.indptr[row + 1])
        other, similarity = block.indices[entries], block.data[entries]
        other, similarity = other[other != item], similarity[other != item]
        # The bits of positive floats stand in the order of their values; what is left of the key
        # tells equal ones apart.
        bits = similarity.astype(np.float32).view(np.uint32).astype(np.uint64)
        key = (bits << np.uint64(32)) | self._ties[other]
        if key.size > max(_NEIGHBOURS):
            kept = np.argpartition(key, key.size - max(_NEIGHBOURS))[-max(_NEIGHBOURS) :]
            other, similarity, key = other[kept], similarity[kept], key[kept]
        order = np.argsort(key)[::-1]
        return other[order], similarity[order]
