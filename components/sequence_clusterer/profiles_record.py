"""`profiles.json`: what sets each cluster apart."""

from __future__ import annotations

from typing import ClassVar, Literal

from trainer.artifact_record import Measure, Record, RecordFile


class TestedFigure(Record):
    """A figure of a cluster's users against that of all users; lift 2 = twice as much.

    `lift_ci` is None where there is nobody to compare with.
    """

    share: float
    overall: float
    lift: Measure
    lift_ci: list[Measure] | None
    p_value: float
    q_value: float
    significant: bool


class LiftedItem(TestedFigure):
    """An item that a cluster prefers; the title is "" where it is not known."""

    item_id: str
    title: str


class LiftedCategory(TestedFigure):
    """A category that a cluster prefers."""

    category: str


class Trait(TestedFigure):
    """Something that tells a cluster apart from all users, most certain first.

    Attributes:
        value: item, category, kind of event, number of the part of the day, or name of a measure.
        title: of an item.
        reach: share of the cluster's users that it concerns.
        z: the test's statistic.
    """

    kind: Literal["item", "category", "action", "day_part", "measure"]
    value: str | int
    title: str = ""
    reach: float
    z: float


class TestedValue(TestedFigure):
    """A kind of event, an hour, a weekday or a measure; measures have a median."""

    value: str | int
    median: Measure = None


class ProfileTests(Record):
    """Everything that was tested, significant or not."""

    measures: list[TestedValue]
    actions: list[TestedValue]
    hours: list[TestedValue]
    weekdays: list[TestedValue]
    day_parts: list[TestedValue]


class ClusterProfile(Record):
    """One cluster; shares of `actions` and `hours` (UTC) are of its events."""

    cluster: int
    name: str
    lasting_id: int
    last_name: str | None
    users: int
    share: float
    events_per_user_median: Measure
    span_days_median: Measure
    top_items: list[LiftedItem]
    top_categories: list[LiftedCategory]
    actions: dict[str, float]
    hours: list[float]
    price_median: Measure
    traits: list[Trait]
    tests: ProfileTests


class ProfilesRecord(RecordFile):
    """All clusters, and the sampled users that they were described by."""

    FILE_NAME: ClassVar[str] = "profiles.json"

    clusters: list[ClusterProfile]
    users: int
