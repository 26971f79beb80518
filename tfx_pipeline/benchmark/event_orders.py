"""A log with times as sequences: in the order of its file, and in orders that are drawn.

Events of one user and time have no order. A file has them in some order all the same, often that
of the ids, and whoever predicts the last item of a sequence is helped by it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from components.behavior_example_gen.cleaning import tie_order
from components.behavior_example_gen.cleaning.cleaning import ORDER
from components.behavior_example_gen.steps.splitting import USER
from trainer.errors import DataError

FILE = "file"
"""Name of the order in which the log's file has its events."""
_EVALUATED_EVENTS = 3


@dataclass(frozen=True)
class TiedTargets:
    """How many test targets have a place among others only by the order of ties.

    Attributes:
        users: with three events or more; the last of them is the test target.
        tied: of these, users whose last event has the time of the one before it. Which order the
            ties are in does not change it.
    """

    users: int
    tied: int

    @property
    def share(self) -> float:
        """Of the users; 0 where there are none."""
        return self.tied / max(self.users, 1)


def ties(events: pl.DataFrame) -> npt.NDArray[np.bool_]:
    """Whether an event shares its user and time with the one before it: bool [n].

    Args:
        events: `WholeLog.events`.
    """
    return tie_order.tied(events[USER].to_numpy(), events["timestamp"].to_numpy())


def tied_targets(events: pl.DataFrame) -> TiedTargets:
    """Counts the test targets that share their time with the item before.

    Args:
        events: `WholeLog.events`.
    """
    last = (
        events.select(USER, tied=pl.Series(ties(events)))
        .group_by(USER)
        .agg(pl.len().alias("events"), pl.col("tied").last())
        .filter(pl.col("events") >= _EVALUATED_EVENTS)
    )
    return TiedTargets(last.height, int(last["tied"].sum()))


def orders(events: pl.DataFrame, draws: int, seed: int) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yields name and events of each order: `FILE`, then "1", "2", … of the draws.

    Args:
        events: `WholeLog.events`, ties in the order of the log.
        draws: how many orders are drawn. Draw number n of a seed is always the same.
        seed: another seed, other draws.
    """
    yield FILE, events
    same = ties(events)
    described = [name for name in events.columns if name != ORDER]
    for draw in range(1, draws + 1):
        # One number of both: seeds are below 2^31, so no two pairs share it.
        drawn = tie_order.drawn_order(events, same, (seed << 32) + draw, described)
        yield str(draw), drawn


def sequence_text(events: pl.DataFrame) -> str:
    """The events as a sequence file: a line `user item1 item2 …` for each user.

    Args:
        events: sorted by user; the items stay in this order.
    """
    return "".join(
        f"{line}\n"
        for line in events.group_by(USER, maintain_order=True)
        .agg(pl.col("user_id").first(), pl.col("item_id").str.join(" "))
        .select(pl.concat_str("user_id", "item_id", separator=" "))
        .to_series()
    )


def check_ids(events: pl.DataFrame) -> None:
    """Refuses ids that a sequence file cannot hold.

    Raises:
        DataError: an id has a space, which parts the ids of a line.
    """
    for name in ("user_id", "item_id"):
        found = events.select(pl.col(name).unique(maintain_order=True)).to_series()
        spaced = found.filter(found.str.contains(r"\s"))
        if len(spaced):
            raise DataError(
                f"{len(spaced):,} values of {name} have a space in them, e.g. {spaced[0]!r}. "
                "The benchmark writes sequence files, in which a space ends an id: replace the "
                "spaces in the log, and in the items file if there is one"
            )
