"""Small results of the steps, from which the cuts and the data quality are made."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from components.behavior_example_gen.cleaning.id_forms import IdForms
from components.behavior_example_gen.reading.remarks import Remarks


@dataclass
class FileReport:
    """What reading one file gave."""

    number: int
    name: str
    rows: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    """First row dropped for each reason, for messages."""
    remarks: Remarks = field(default_factory=Remarks)
    id_forms: dict[str, IdForms] = field(default_factory=dict)
    """Of user_id and item_id."""
    swallowed: int = 0
    """Lines that a stray quote had made a part of another row."""
    first_swallowed: int | None = None
    """The first of them."""


@dataclass
class PartitionReport:
    """What the rules over whole users dropped in one partition."""

    dropped: Counter[str] = field(default_factory=Counter)
    bots: int = 0
    actions: Counter[str] = field(default_factory=Counter)
    """Events that the rules leave, by action."""
    times: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    """The time of about every n-th event, for the cuts; only events that the rules leave, of users
    who have enough of them."""
    first: int | None = None
    last: int | None = None
    """Of all those events."""
    directions: dict[str, dict[str, int]] = field(default_factory=dict)
    """How neighbours within an instant stand in the log, see `tie_order.count_directions`."""
    times_of_day: list[int] = field(default_factory=list)
    """Seconds since midnight (UTC) that occur; three where there are more."""


@dataclass
class HistoryReport:
    """The histories that one partition gave."""

    events: int = 0
    users: int = 0
    user_items: int = 0
    """Distinct pairs of user and item."""
    dropped: Counter[str] = field(default_factory=Counter)
    """Events in no history and no target, by reason."""
    left_out_of_training: Counter[str] = field(default_factory=Counter)
    """Events before what is held out that only histories of other splits have, by reason."""
    actions: Counter[str] = field(default_factory=Counter)
    periods: Counter[int] = field(default_factory=Counter)
    """Events by number of the period."""
    lengths: Counter[int] = field(default_factory=Counter)
    """Users by number of events."""
    histories: Counter[str] = field(default_factory=Counter)
    """Examples by split."""
    cold_starts: Counter[str] = field(default_factory=Counter)
    """Users by split who have a target but no history."""
    instants: dict[str, Counter[int]] = field(default_factory=dict)
    """By split, the users by number of distinct items that are held out."""
    first: int | None = None
    last: int | None = None
