"""The order of events that share a user and a time: measured in the log, and drawn.

The events of one instant have no order. What a log shows is how it was written: often by item id.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import polars as pl
import polars.selectors as cs

from components.behavior_example_gen.arrow_files import to_arrow

Hashes = npt.NDArray[np.uint64]

ASCENDING, DESCENDING = "ascending", "descending"
# Of SplitMix64 (Steele, Lea and Flood 2014), whose mixer spreads every bit over all others.
_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIXER = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))


def tied(users: npt.NDArray[np.integer], times: npt.NDArray[np.integer]) -> npt.NDArray[np.bool_]:
    """Whether an event shares its user and time with the one before it: bool [n].

    Args:
        users: [n], sorted.
        times: [n], sorted within a user.
    """
    same = np.zeros(len(users), bool)
    same[1:] = (users[1:] == users[:-1]) & (times[1:] == times[:-1])
    return same


def drawn_order(
    events: pl.DataFrame, same: npt.NDArray[np.bool_], seed: int, described: Iterable[str]
) -> pl.DataFrame:
    """The events, those of each instant in an order that is drawn.

    An event's place depends on the seed and on what the event is, never on its place in the log.

    Args:
        events: sorted by user and time.
        same: [n], from `tied`.
        seed: another seed, another order.
        described: the columns that say what an event is. Events that are equal in all of them keep
            their order.
    """
    rows = np.flatnonzero(same | np.append(same[1:], False)) if len(same) else np.empty(0, int)
    if not rows.size:
        return events
    draws = event_hashes(events.select(described)[rows], seed)
    keys = pl.DataFrame({"instant": np.cumsum(~same[rows]), "draw": draws})
    order = keys.select(pl.arg_sort_by("instant", "draw", maintain_order=True)).to_series()
    places = np.arange(events.height)
    places[rows] = rows[order.to_numpy()]
    return events[places]


def event_hashes(events: pl.DataFrame, seed: int) -> Hashes:
    """A number for each row that its values and the seed decide: uint64 [n].

    The same on every machine and with every version of the libraries, unlike the hashes of polars.

    Args:
        events: columns of text, integers or numbers.
        seed: another seed, other numbers.
    """
    hashes = np.full(events.height, seed, np.uint64)
    for column in events:
        hashes = _mixed(hashes + _STEP) ^ _values(column, seed)
    return _mixed(hashes)


def count_directions(
    events: pl.DataFrame, same: npt.NDArray[np.bool_], titles: pl.DataFrame | None
) -> dict[str, dict[str, int]]:
    """How often the later of two neighbours within an instant has the larger id or title.

    Args:
        events: `item_id`, and perhaps `title`, sorted by user, time and place in the log.
        same: [n], from `tied`.
        titles: `item_id` and `title` of known items, for events that have no title.

    Returns:
        By `item_id` (as text), `item_number` (only if all of these ids are whole numbers) and
        `title`: the number of pairs that ascend and that descend. Pairs of equals count as neither.
    """
    later = np.flatnonzero(same)
    if not later.size:
        return {}
    pairs = {"item_id": (events["item_id"][later - 1], events["item_id"][later])}
    left, right = pairs["item_id"]
    numbers = left.cast(pl.Int64, strict=False), right.cast(pl.Int64, strict=False)
    if not any(side.null_count() for side in numbers):
        pairs["item_number"] = numbers
    found = _titles(events, titles)
    if found is not None:
        pairs["title"] = (found[later - 1], found[later])
    return {name: _directions(*sides) for name, sides in pairs.items()}


def _titles(events: pl.DataFrame, titles: pl.DataFrame | None) -> pl.Series | None:
    """Each event's title, null if it is unknown; None if none is known."""
    told = pl.col("title") if "title" in events.columns else pl.lit("")
    if titles is not None:
        named = titles.select("item_id", pl.col("title").alias("of_file"))
        events = events.select("item_id", cs.by_name("title", require_all=False)).join(
            named, on="item_id", how="left", maintain_order="left"
        )
        told = pl.when(told == "").then(pl.col("of_file")).otherwise(told)
    found = events.select(told.replace("", None).alias("title"))["title"]
    return None if found.null_count() == len(found) else found


def _directions(left: pl.Series, right: pl.Series) -> dict[str, int]:
    return {ASCENDING: int((left < right).sum()), DESCENDING: int((left > right).sum())}


def _mixed(values: Hashes) -> Hashes:
    for shift, factor in _MIXER:
        values = (values ^ (values >> np.uint64(shift))) * np.uint64(factor)
    return values ^ (values >> np.uint64(31))


def _values(column: pl.Series, seed: int) -> Hashes:
    """The column as numbers: text by its hash, everything else by its bits."""
    if column.dtype == pl.String:
        # Users, sessions and actions come in runs: each is looked up once.
        opens = column.ne_missing(column.shift(1))
        firsts = column.filter(opens).to_frame()
        codes = to_arrow(firsts).column(0).combine_chunks().dictionary_encode()
        key = seed.to_bytes(8, "big")
        digests = b"".join(
            hashlib.blake2b(value.encode(), digest_size=8, key=key).digest()
            for value in codes.dictionary.to_pylist()
        )
        hashes = np.frombuffer(digests, "<u8").astype(np.uint64)[codes.indices.to_numpy()]
        return hashes[np.cumsum(opens.to_numpy()) - 1]
    if column.dtype.is_float():
        return (column.cast(pl.Float64).to_numpy() + 0.0).view(np.uint64)  # -0.0 is 0.0
    return column.cast(pl.Int64).to_numpy().view(np.uint64)
