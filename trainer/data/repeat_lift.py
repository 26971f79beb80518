"""How much more often an item is taken again than others that were last taken as long ago.

Milk is bought again and a printer is not. Each instant after a user had an item is a chance to take
it again. How often that happens depends on how many instants ago it was last taken: this is the
hazard of the log, estimated as Nelson (1972) and Aalen (1978) do. An item's lift is how often it
was taken again over how often its chances let expect.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.integer]
Floats = npt.NDArray[np.float64]

_SHRINKAGE = 3.0
"""How often more every item is taken to have come again, and to have been expected to."""


class RepeatLift(NamedTuple):
    """Of each item; row 0 is padding.

    Attributes:
        lift: float64 [items + 1], 1 for an item that nobody had twice the chance to take.
        chances: int64 [items + 1], instants after a user had the item.
    """

    lift: Floats
    chances: npt.NDArray[np.int64]


def repeat_lift(
    user: Integers,
    item: Integers,
    instants_ago: Integers,
    items: int,
    wanted: npt.NDArray[np.bool_] | None = None,
) -> RepeatLift:
    """Counts what came again.

    Args:
        user: integers [events].
        item: integers [events], 1 … items.
        instants_ago: integers [events], how many of the user's instants came later.
        items: size of the catalogue.
        wanted: bool [events], whether the event is one that is asked for. An item that a user
            looked at had a chance to be bought, and only what was bought has come again. None:
            every event is.

    Example:
        Over four instants a user takes item 1 every time and item 2 the first time only. Taken one
        instant ago, an item comes again in three of four cases.

        >>> found = repeat_lift(
        ...     np.zeros(5, int), np.array([1, 2, 1, 1, 1]), np.array([3, 3, 2, 1, 0]), items=2
        ... )
        >>> found.chances.tolist(), found.lift.round(3).tolist()
        ([0, 3, 3], [1.0, 1.143, 0.8])
    """
    asked = np.ones(len(item), bool) if wanted is None else wanted
    # Of an instant what is asked for stands first.
    order = np.lexsort((~asked, -instants_ago, item, user))
    user, item, ago, asked = user[order], item[order], instants_ago[order], asked[order]
    same = (user[1:] == user[:-1]) & (item[1:] == item[:-1])
    # How long until the item came again; until the end of the history where it did not.
    until = ago - np.where(np.append(same, False), np.append(ago[1:], 0), 0)
    again = np.append(same, False) & (until > 0)
    # Several events of one instant are one; the last of them goes on.
    counted = again | ~np.append(same, False)
    again &= np.append(asked[1:], False)
    item, until, again = item[counted], until[counted], again[counted]
    longest = int(until.max(initial=0))
    ended = np.bincount(until, minlength=longest + 1)
    at_risk = ended[::-1].cumsum()[::-1]
    came = np.bincount(until[again], minlength=longest + 1)
    came[0] = 0
    hazard = came / np.maximum(at_risk, 1)
    expected = np.bincount(item, np.cumsum(hazard)[until], items + 1)
    taken = np.bincount(item, again, items + 1)
    chances = np.bincount(item, until, items + 1).astype(np.int64)
    return RepeatLift((taken + _SHRINKAGE) / (expected + _SHRINKAGE), chances)
