"""What the page shows, typed: one model per file that the other components write.

Every field that a file may lack has a default, so that the page of an older or a smaller run
still renders; keys the page does not know are ignored.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from components.gates.verdict import Verdict
from components.run_report.clustering_figures import ClusteringFigures
from components.run_report.figure_base import Figures, Measure

Metrics = dict[str, float | None]
"""Metric name ("ndcg@10") to value; None where it could not be measured."""


class SourceFile(Figures):
    """One input file and its rows."""

    name: str
    rows: int = 0


class Period(Figures):
    """Events from `start` (ISO 8601) until the next period."""

    start: str
    events: int


class SplitCuts(Figures):
    """Where the time line was cut and how many histories each side got."""

    method: str = "unknown"
    validation_cut: str | None = None
    test_cut: str | None = None
    histories: dict[str, int] = {}


class DataQualityFigures(Figures):
    """`data_quality.json` of BehaviorExampleGen."""

    files: list[SourceFile] = []
    rows_read: int = 0
    events_kept: int = 0
    users: int = 0
    items: int = 0
    bad_rows: int = 0
    bad_fraction: Measure = None
    dropped: dict[str, int] = {}
    columns: dict[str, str | None] = {}
    actions: dict[str, int] = {}
    first_event: str | None = None
    last_event: str | None = None
    events_per_period: list[Period] = []
    events_per_user: dict[str, Measure] = {}
    split: SplitCuts = SplitCuts()
    notes: list[str] = []
    quarantine: str | None = None
    repeat_share: Measure = None


class Epoch(Figures):
    """One pass over the training samples."""

    epoch: int
    loss: Measure = None
    val_ndcg: Measure = Field(default=None, alias="val_ndcg@10")
    seconds: Measure = None


class TrainingRun(Figures):
    """`training.json` of one Trainer node."""

    name: str
    status: str = "trained"
    reason: str = ""
    epochs: list[Epoch] = []
    best_epoch: int | None = None
    seconds: Measure = None
    samples: int | None = None
    settings: dict[str, Any] = {}
    derived: dict[str, Any] = {}
    tuned: dict[str, Any] = {}

    @property
    def best_val_ndcg(self) -> float | None:
        """Validation NDCG@10 of the best epoch; None when it was not measured."""
        return next((e.val_ndcg for e in self.epochs if e.epoch == self.best_epoch), None)


class LiftedItem(Figures):
    """An item that a cluster prefers; lift 2 = twice as frequent as among all users."""

    item_id: str
    title: str | None = None
    share: Measure = None
    lift: Measure = None
    lift_ci: list[Measure] | None = None
    significant: bool | None = None


class LiftedCategory(Figures):
    """A category that a cluster prefers."""

    category: str
    share: Measure = None
    lift: Measure = None
    lift_ci: list[Measure] | None = None
    significant: bool | None = None


class Trait(Figures):
    """Something that tells a cluster apart from all users."""

    kind: str
    value: str | int
    title: str | None = None
    lift: Measure = None
    lift_ci: list[Measure] | None = None


class ClusterProfile(Figures):
    """One cluster of `profiles.json`."""

    cluster: int
    name: str = ""
    traits: list[Trait] = []
    users: int = 0
    share: Measure = None
    events_per_user_median: Measure = None
    span_days_median: Measure = None
    top_items: list[LiftedItem] = []
    top_categories: list[LiftedCategory] = []
    actions: dict[str, Measure] = {}
    hours: list[Measure] = []
    price_median: Measure = None


class MapPoint(Figures):
    """A user on the two-dimensional map."""

    x: float
    y: float
    cluster: int


class SliceComparison(Figures):
    """All models on the users of one slice."""

    users: int | None = None
    models: dict[str, Metrics] = {}


class SplitComparison(Figures):
    """All models on one split."""

    users: int | None = None
    overall: dict[str, Metrics] = {}
    by_cluster: dict[str, SliceComparison] = {}
    by_history_length: dict[str, SliceComparison] = {}
    by_target_frequency: dict[str, SliceComparison] = {}


class Comparison(Figures):
    """`comparison.json` of ClusterCombiner."""

    models: list[str] = []
    splits: dict[str, SplitComparison] = {}


class Combination(Figures):
    """`combination.json` of ClusterCombiner; weights_mean has K+1 entries, global first."""

    clusters: int = 0
    kept: bool = True
    reason: str = ""
    weights_mean: list[Measure] = []
    parameters: dict[str, Any] = {}


class LiftFigures(Figures):
    """How much better one model is than another on the same users, in NDCG@10."""

    model: str
    against: str
    cluster: int | None = None
    users: int = 0
    mean: float = 0.0
    low: float = 0.0
    high: float = 0.0
    base: float = 0.0
    """NDCG@10 of the other model."""
    effect: str = ""

    @property
    def relative(self) -> float:
        """The mean as a share of the other model's NDCG@10."""
        return self.mean / self.base if self.base else 0.0


class WorthVerdict(Figures):
    """What the specialists do, judged on test users by one model: the combiner or routing."""

    judged: str = "combiner"
    effect: str | None = None
    sentences: list[str] = []


class WorthFigures(Figures):
    """`worth.json` of ClusterCombiner: what the clusters are worth."""

    splits: dict[str, list[LiftFigures]] = {}
    recommendation: str = ""
    why: str = ""
    verdict: WorthVerdict = WorthVerdict()
    serving_ms: dict[str, Measure] = {}
    """Median time to answer one history, by what is served."""


class ReportInputs(Figures):
    """Everything on the page; None and empty where a run has no such part."""

    run_name: str
    created: str
    verdict: Verdict = Verdict("not_judged")
    data_quality: DataQualityFigures | None = None
    quarantined: int | None = None
    encoder: TrainingRun | None = None
    specialists: list[TrainingRun] = []
    clustering: ClusteringFigures | None = None
    cluster_map: list[MapPoint] = []
    profiles: list[ClusterProfile] = []
    comparison: Comparison | None = None
    combination: Combination | None = None
    worth: WorthFigures | None = None
    items_titled: int | None = None
    items_listed: int | None = None
    provenance: dict[str, Any] = {}
    notes: list[str] = []

    @property
    def ordered_only(self) -> bool:
        """Whether the log has an order but no times, so that hours and days mean nothing."""
        quality = self.data_quality
        return quality is not None and quality.events_kept > 0 and quality.first_event is None
