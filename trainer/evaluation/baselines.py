"""Two recommenders that any shop has for free, scored without a model.

*Popularity* ranks items by their number of training events. *Own items* ranks the items that the
user already has first, by how often they occur and, at equal counts, by popularity; then all others
by popularity. Where customers buy again, the second is hard to beat. (Ordering equal counts by
recency instead was tried on two shops and is weaker: NDCG@10 .101 against .104, and .096 against
.105.)

Ranks are computed from the histories alone: no matrix of users by items is ever built. Equal
counts are ordered by item index, as `tf.math.top_k` does.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.integer]
Indices = npt.NDArray[np.int64]

_EVENTS_PER_CHUNK = 2_000_000


def item_counts(flat_items: Integers, n_items: int) -> Indices:
    """Number of events of each item.

    Args:
        flat_items: integers [events]; items are 1 … n_items, everything else is ignored.
        n_items: size of the catalogue.

    Returns:
        int64 [n_items]; `counts[i - 1]` belongs to item `i`.
    """
    flat = np.asarray(flat_items)
    known = flat[(flat >= 1) & (flat <= n_items)]
    return np.bincount(known, minlength=n_items + 1)[1:].astype(np.int64)


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
    own_first = not exclude_seen
    return _ranks(counts, flat_items, row_splits, targets, target_splits, own_first, exclude_seen)


def _ranks(
    counts: Integers,
    flat_items: Integers,
    row_splits: Integers,
    targets: Integers,
    target_splits: Integers | None,
    own_first: bool,
    exclude_seen: bool,
) -> Indices:
    flat, splits = np.asarray(flat_items), np.asarray(row_splits, dtype=np.int64)
    wanted = np.asarray(targets, dtype=np.int64)
    ends = np.arange(wanted.size + 1) if target_splits is None else np.asarray(target_splits)
    users = ends.size - 1
    if splits.size != users + 1:
        raise ValueError(f"{splits.size} row_splits do not fit the targets of {users} users")
    places = _popularity_places(np.asarray(counts))
    ranks = np.empty(wanted.size, dtype=np.int64)
    for start, stop in _chunks(splits):
        chunk = slice(ends[start], ends[stop])
        ranks[chunk] = _chunk_ranks(
            places,
            flat[splits[start] : splits[stop]].astype(np.int64),
            splits[start : stop + 1] - splits[start],
            wanted[chunk],
            np.repeat(np.arange(stop - start), np.diff(ends[start : stop + 1])),
            own_first,
            exclude_seen,
        )
    return ranks


def _popularity_places(counts: Integers) -> Indices:
    """int64 [n_items + 1]: the place of item `i` by popularity at `[i]`; `[0]` is the unknown."""
    n_items = counts.size
    places = np.empty(n_items + 1, dtype=np.int64)
    places[0] = n_items + 1
    places[np.argsort(-counts.astype(np.int64), kind="stable") + 1] = np.arange(1, n_items + 1)
    return places


def _chunks(splits: Indices) -> Iterator[tuple[int, int]]:
    """Ranges of users with a bounded number of events, at least one user each."""
    start, users = 0, splits.size - 1
    while start < users:
        stop = int(np.searchsorted(splits, splits[start] + _EVENTS_PER_CHUNK, side="right")) - 1
        stop = min(max(stop, start + 1), users)
        yield start, stop
        start = stop


def _chunk_ranks(
    places: Indices,
    flat: Indices,
    splits: Indices,
    targets: Indices,
    user: Indices,
    own_first: bool,
    exclude_seen: bool,
) -> Indices:
    """Ranks of targets, each of the user at the same position of `user`."""
    n_items = places.size - 1
    in_catalogue = (targets >= 1) & (targets <= n_items)
    known = np.where(in_catalogue, targets, 0)
    target_places = places[known]
    if not own_first and not exclude_seen:
        return target_places

    owner, item, count = _own_items(flat, splits, n_items)
    place = places[item]
    begins = np.searchsorted(owner, np.arange(splits.size))
    # One sorted list for all users: their own items by popularity, one user after the other.
    by_place = np.sort(owner * (n_items + 2) + place)
    more_popular = np.searchsorted(by_place, user * (n_items + 2) + target_places) - begins[user]
    pairs = owner * (n_items + 1) + item
    wanted = user * (n_items + 1) + known
    at = np.searchsorted(pairs, wanted)
    is_own = np.append(pairs, -1)[at] == wanted
    if own_first:
        # A target that is new to the user stands behind the user's own items, less popular ones
        # included.
        ranks = target_places + np.diff(begins)[user] - more_popular
        strongest_first = np.lexsort((place, -count, owner))
        own_rank = np.empty(owner.size, np.int64)
        own_rank[strongest_first] = 1 + np.arange(owner.size) - begins[owner]
        ranks[is_own] = own_rank[at[is_own]]
    else:
        ranks = np.where(is_own, n_items + 1, target_places - more_popular)
    return np.where(in_catalogue, ranks, n_items + 1)


def _own_items(flat: Indices, splits: Indices, n_items: int) -> tuple[Indices, Indices, Indices]:
    """Each user's distinct known items, ascending: user, item, number of events."""
    owner = np.repeat(np.arange(splits.size - 1, dtype=np.int64), np.diff(splits))
    known = (flat >= 1) & (flat <= n_items)
    pairs, counts = np.unique(owner[known] * (n_items + 1) + flat[known], return_counts=True)
    return pairs // (n_items + 1), pairs % (n_items + 1), counts.astype(np.int64)
