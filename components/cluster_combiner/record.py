"""The JSON files of ModelComparison: `comparison.json`, `combination.json` and `worth.json`."""

from __future__ import annotations

from typing import ClassVar, Literal

from components.cluster_combiner.behavior_record import BehaviorRecord
from trainer.artifact_record import Measure, Record, RecordFile
from trainer.evaluation.compared_models import (
    COMBINER,
    FREE,
    GLOBAL,
    OWN_ITEMS,
    PEERS,
    POPULARITY,
)
from trainer.evaluation.metrics import BASKET_PRIMARY, PRIMARY
from trainer.evaluation_config import Task, in_words
from trainer.shelves import Shelf

Metrics = dict[str, Measure]
"""Metric name ("ndcg@10") to value."""
Effect = Literal["helps", "hurts", "makes no difference", "too few users"]
TOO_FEW: Effect = "too few users"
"""Of fewer than `ENOUGH_USERS` nothing is said."""
Recommendation = Literal["combination", "train longer", "global"]


class SliceComparison(Record):
    """All models on the users of one slice."""

    users: int
    models: dict[str, Metrics]


class SplitComparison(Record):
    """All models on one split; the users who belong to no cluster are the cluster "-1"."""

    users: int
    overall: dict[str, Metrics]
    by_cluster: dict[str, SliceComparison]
    by_history_length: dict[str, SliceComparison]
    by_target_frequency: dict[str, SliceComparison]


class Measured(Record):
    """One kind of free baseline with the constants that did best.

    Attributes:
        constants: in words.
        validation: the primary measure there; NaN without users.
        tried: how many constants were compared.
    """

    constants: str
    validation: Measure
    tried: int


class CountedRecord(Record):
    """The free baselines: what was chosen on validation, and what was left out, by kind.

    Attributes:
        opponent: the best of them, which a model has to beat to be pushed.
        chosen: the best constants of each kind.
        left_out: why a kind is missing.
    """

    opponent: str
    chosen: dict[str, Measured]
    left_out: dict[str, str]


class Lift(Record):
    """How much better one model is than another on the same users, in NDCG@10 where nothing else is
    said.

    Attributes:
        model: the one in question.
        against: what it is compared with.
        cluster: whose users, None for all.
        users: how many.
        mean: mean difference of the users' values.
        low: lower end of its paired t interval: 95 %, among clusters 95 % that those of all
            clusters with enough users hold together (Bonferroni).
        high: upper end.
        base: the other model's value.
        effect: what the interval says; nothing from fewer than `ENOUGH_USERS`.
    """

    model: str
    against: str
    cluster: int | None
    users: int
    mean: float
    low: float
    high: float
    base: float
    effect: Effect

    @property
    def relative(self) -> float:
        """The mean as a share of the other model's value; 0 where that is 0."""
        return self.mean / self.base if self.base > 0 else 0.0


class PeersRecord(Record):
    """The peers that were asked for (`combiner.peers`).

    Attributes:
        chosen: the best constants of each.
        left_out: why a peer is missing.
        lifts: the combiner against each peer, by split.
    """

    chosen: dict[str, Measured]
    left_out: dict[str, str]
    lifts: dict[str, list[Lift]]


class ShelfFigures(Record):
    """All models on one shelf, over the users who took anything that belongs on it.

    Attributes:
        users: how many.
        models: recall@10 and NDCG@10 of the shelf's list, and the recall@10 that the same items
            have in the list of all (`shelf_values.SHELF_MEASURES`).
        lifts: by measure of the shelf's list, the combiner against the free baseline that did best
            in it on validation users.
    """

    users: int
    models: dict[str, Metrics]
    lifts: dict[str, Lift]


class ShelvesRecord(Record):
    """The models by shelf.

    Attributes:
        splits: split to shelf ("own", "new") to its figures.
    """

    splits: dict[str, dict[Shelf, ShelfFigures]]


class ComparisonRecord(RecordFile):
    """Every model on the same users, split by split.

    Attributes:
        task: what the models are asked for.
        period_days: of the task `next_period`; None for others.
        target_actions: the setting `data.target_actions`; empty for every action.
        models: that are compared.
        splits: their figures.
        counted: the free baselines, and how they were chosen.
        peers: the published recommenders that were asked for; None without any.
        shelves: the models by shelf; None where items that a user had are left out.
        behavior: the behaviour head; None where none was asked for.
    """

    FILE_NAME: ClassVar[str] = "comparison.json"

    task: Task
    period_days: float | None = None
    target_actions: list[str] = []
    models: list[str]
    splits: dict[str, SplitComparison]
    counted: CountedRecord | None = None
    peers: PeersRecord | None = None
    shelves: ShelvesRecord | None = None
    behavior: BehaviorRecord | None = None

    @property
    def in_slices(self) -> list[str]:
        """The models of tables by cluster, history and frequency: all that are trained, and of the
        free baselines popularity and the opponent.
        """
        told = {POPULARITY, self.counted.opponent if self.counted else OWN_ITEMS}
        return [model for model in self.models if model in told or model not in FREE]

    @property
    def on_shelves(self) -> list[str]:
        """The models of the tables by shelf: the rules, the peers, and what may be served."""
        return [m for m in self.models if m in (*FREE, *PEERS, GLOBAL, COMBINER)]

    @property
    def primary(self) -> str:
        """Name of the metric that models are chosen and judged by."""
        return PRIMARY if self.task == "next_item" else BASKET_PRIMARY

    @property
    def asked(self) -> str:
        """The task for people: "next basket"."""
        return in_words(self.task, self.period_days, self.target_actions)

    @property
    def asked_item(self) -> str:
        """The first held-out item for people: "next item", "first item of the next purchase"."""
        if not self.target_actions:
            return in_words("next_item", None)
        return self.asked if self.task == "next_item" else f"first item of the {self.asked}"

    @property
    def primary_title(self) -> str:
        """Name of the primary measure for people."""
        return f"NDCG@10 of the {self.asked}"


class Strengths(Record):
    """Strengths of the specialists, by cluster: as served, and as fitted, kept or not."""

    strengths: list[float]
    fitted_strengths: list[float]


class TransitionsRecord(Record):
    """What item transitions bring: cross-fitted gain in NDCG@10 with its 95 % interval."""

    weight: float
    """0 if they bring nothing."""
    difference: Measure
    low: Measure
    high: Measure
    reason: str


class CombinationRecord(RecordFile):
    """How the specialists are combined; `weights_mean` has K + 1 entries, the global first."""

    FILE_NAME: ClassVar[str] = "combination.json"

    clusters: int
    kept: bool
    reason: str
    weights_mean: list[Measure]
    parameters: Strengths
    transitions: TransitionsRecord


class WorthVerdict(Record):
    """What the specialists do for whom, judged on test users.

    Attributes:
        judged: the model: the combiner, or routing where the combination uses no specialist.
        effect: on all users; None without test users, or with too few of them.
        helps: clusters that it serves better.
        hurts: clusters that it serves worse.
        beats: by control, whether the model is better than it.
        sentences: all of it in words.
    """

    judged: str
    effect: Effect | None
    helps: list[int]
    hurts: list[int]
    beats: dict[str, bool]
    sentences: list[str]


class WorthRecord(RecordFile):
    """What the clusters are worth.

    Attributes:
        splits: all comparisons of two models, by split.
        recommendation: what to serve, from the validation users.
        why: in words.
        verdict: from the test users.
        serving_ms: median time to answer one history, by what is served.
    """

    FILE_NAME: ClassVar[str] = "worth.json"

    splits: dict[str, list[Lift]]
    recommendation: Recommendation
    why: str
    verdict: WorthVerdict
    serving_ms: dict[str, Measure] = {}
