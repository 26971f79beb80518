"""The two simplest members, ranked as the served baseline model lists them.

*Popularity* ranks items by their number of training events. *Own items* ranks the items that the
user already has first, by how often they occur and, at equal counts, by popularity; then all others
by popularity. Equal counts are ordered by item index, as `tf.math.top_k` does.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from trainer.data import features
from trainer.data.histories import Histories
from trainer.evaluation.baselines.catalogue_order import catalogue_places
from trainer.evaluation.baselines.event_log import EventLog
from trainer.evaluation.baselines.sparse_ranks import ItemScores, sparse_ranks

Integers = npt.NDArray[np.integer]
Indices = npt.NDArray[np.int64]

_USERS_PER_CHUNK = 4096


def popularity_ranks(
    counts: Integers,
    flat_items: Integers,
    row_splits: Integers,
    targets: Integers,
    exclude_seen: bool = False,
    target_splits: Integers | None = None,
) -> Indices:
    """Rank of each user's targets when items are ordered by popularity.

    Args:
        counts: integers [n_items], training events of item `i` at `counts[i - 1]`.
        flat_items: integers [events], all histories one after the other, oldest event first;
            items are 1 … n_items, anything else is padding or unknown.
        row_splits: integers [users + 1], user `u` owns
            `flat_items[row_splits[u]:row_splits[u + 1]]`.
        targets: integers [targets], the items to find.
        exclude_seen: leave the items of the history out of the ranking.
        target_splits: integers [users + 1], user `u` owns
            `targets[target_splits[u]:target_splits[u + 1]]`; None = one target a user.

    Returns:
        int64 [targets], 1-based; `n_items + 1` for a target that is not in the catalogue or left
        out. A user's targets do not move each other: all are ranked in one and the same list.

    Raises:
        ValueError: histories and targets are not those of the same number of users.
    """
    return _ranks(counts, flat_items, row_splits, targets, target_splits, False, exclude_seen)


def own_items_ranks(
    counts: Integers,
    flat_items: Integers,
    row_splits: Integers,
    targets: Integers,
    exclude_seen: bool = False,
    target_splits: Integers | None = None,
) -> Indices:
    """Rank of each user's targets when own items come first, then popularity.

    With `exclude_seen` there are no own items left to put first, and the ranks are those of
    `popularity_ranks`.

    Args:
        counts: as for `popularity_ranks`.
        flat_items: as for `popularity_ranks`.
        row_splits: as for `popularity_ranks`.
        targets: as for `popularity_ranks`.
        exclude_seen: as for `popularity_ranks`.
        target_splits: as for `popularity_ranks`.

    Returns:
        int64 [targets], as for `popularity_ranks`.

    Raises:
        ValueError: as for `popularity_ranks`.
    """
    return _ranks(counts, flat_items, row_splits, targets, target_splits, True, exclude_seen)


def _ranks(
    counts: Integers,
    flat_items: Integers,
    row_splits: Integers,
    targets: Integers,
    target_splits: Integers | None,
    own_first: bool,
    exclude_seen: bool,
) -> Indices:
    splits = np.asarray(row_splits, dtype=np.int64)
    wanted = np.asarray(targets)
    ends = np.arange(wanted.size + 1) if target_splits is None else np.asarray(target_splits)
    if splits.size != ends.size:
        raise ValueError(
            f"{splits.size} row_splits do not fit the targets of {ends.size - 1} users"
        )
    n_items = np.asarray(counts).size
    flat = np.asarray(flat_items)
    columns = {features.ITEM: flat, features.TIME: np.zeros(flat.size, np.int64)}
    nothing = np.zeros(0, np.int64)
    everybody = EventLog(
        Histories(columns, splits, nothing, np.zeros_like(splits), splits[:-1]), n_items
    )
    places = catalogue_places(np.arange(n_items), np.asarray(counts))
    ranks = np.empty(wanted.size, np.int64)
    for log, mine, log_ends in everybody.parts(_USERS_PER_CHUNK, ends):
        scores = sp.csr_matrix((len(log), n_items + 1))
        if own_first:
            scores = log.sums(np.ones(log.item.size))
        seen = log.distinct if exclude_seen else None
        ranks[mine] = sparse_ranks(ItemScores(scores, places), wanted[mine], log_ends, seen)
    return ranks
