"""The clustering: how K was chosen, where the users lie, who the clusters are."""

from __future__ import annotations

import dataclasses

from markupsafe import Markup

from components.cluster_combiner.record import CombinationRecord
from components.run_report import formats as fmt
from components.run_report.charts.bars import Bar, Group, bar_chart
from components.run_report.charts.cluster_map import cluster_map
from components.run_report.charts.hours import hours_chart
from components.run_report.charts.lines import Mark, Point, line_chart
from components.run_report.cluster_names import ClusterNames
from components.run_report.inputs import ReportInputs
from components.run_report.palette import cluster_colour
from components.run_report.views.candidates import CandidateView, candidate_view
from components.run_report.views.results import judged_split
from components.run_report.views.silhouettes import SilhouetteView, silhouette_view
from components.run_report.views.traits import TraitRow, lift_interval, trait_rows
from components.sequence_clusterer.evaluation_record import EvaluationRecord, KMeasures
from components.sequence_clusterer.profiles_record import ClusterProfile, LiftedCategory, LiftedItem
from trainer.evaluation.compared_models import COMBINER

SILHOUETTE = "#0072b2"
INERTIA = "#d55e00"
ACTION_COLOURS = ("#0072b2", "#e69f00", "#228833", "#cc6677", "#88ccee", "#a8326e", "#999933")
TOP = 5


@dataclasses.dataclass(frozen=True)
class Favourite:
    """A category or item that a cluster prefers."""

    name: str
    share: str
    lift: str
    id: str = ""
    interval: str = ""
    chance: bool = False
    """Not more than chance explains."""


@dataclasses.dataclass(frozen=True)
class ActionShare:
    """One kind of event in the mix of a cluster; `width` in per cent."""

    name: str
    share: str
    width: float
    colour: str


@dataclasses.dataclass(frozen=True)
class Card:
    """The profile of one cluster."""

    cluster: int
    name: str
    traits: list[TraitRow]
    colour: str
    users: str
    share: str
    facts: list[tuple[str, str]]
    categories: list[Favourite]
    items: list[Favourite]
    actions: list[ActionShare]
    hours: Markup | None


@dataclasses.dataclass(frozen=True)
class ClustersView:
    """The whole section."""

    figures: EvaluationRecord
    silhouette: Markup | None
    inertia: Markup | None
    candidates: CandidateView | None
    by_cluster: SilhouetteView | None
    map: Markup | None
    map_users: int
    sizes: Markup | None
    cards: list[Card]
    has_intervals: bool


def clusters_view(inputs: ReportInputs, names: ClusterNames) -> ClustersView | None:
    """The section; None when the run has no clustering."""
    figures = inputs.clustering
    if figures is None:
        return None
    measured = sorted(figures.by_k, key=lambda entry: entry.k)
    chosen = Mark(figures.chosen_k, f"chosen: K = {figures.chosen_k}")
    elbow = Mark(figures.elbow_k, f"elbow: K = {figures.elbow_k}") if figures.elbow_k else None
    sizes = figures.sizes or [profile.users for profile in inputs.profiles]
    return ClustersView(
        figures=figures,
        silhouette=_curve([_silhouette(e) for e in measured], "Silhouette", SILHOUETTE, [chosen]),
        inertia=_curve(
            [Point(e.k, e.inertia) if e.inertia is not None else None for e in measured],
            "Inertia",
            INERTIA,
            [mark for mark in (elbow, chosen) if mark is not None],
        ),
        candidates=candidate_view(figures),
        by_cluster=silhouette_view(figures, names),
        map=cluster_map(inputs.cluster_map) if inputs.cluster_map else None,
        map_users=len(inputs.cluster_map),
        sizes=_sizes(sizes, figures.noise, names) if sizes else None,
        cards=[_card(profile, inputs) for profile in inputs.profiles],
        has_intervals=any(entry.silhouette_ci for entry in measured),
    )


def weights_chart(combination: CombinationRecord | None) -> Markup | None:
    """Mean weight of the global encoder and of each specialist in the combination."""
    if combination is None or not combination.weights_mean:
        return None
    groups = []
    for i, weight in enumerate(combination.weights_mean):
        name = "Global encoder" if i == 0 else f"Specialist {i - 1}"
        colour = "#9a9a9a" if i == 0 else cluster_colour(i - 1)
        groups.append(Group(name, (Bar(weight, colour, fmt.percent(weight)),)))
    return bar_chart(groups, label="Mean weights of the combination", name_width=130)


def _silhouette(entry: KMeasures) -> Point | None:
    if entry.silhouette is None:
        return None
    low, high = (entry.silhouette_ci or [None, None])[:2]
    return Point(entry.k, entry.silhouette, low, high)


def _curve(points: list[Point | None], name: str, colour: str, marks: list[Mark]) -> Markup | None:
    """A measure by K; None when fewer than two K were tried: there is nothing to compare."""
    measured = [point for point in points if point is not None]
    if len(measured) < 2:
        return None
    return line_chart(
        measured,
        label=f"{name} by number of clusters",
        x_title="number of clusters K",
        colour=colour,
        marks=marks,
    )


def _sizes(sizes: list[int], noise: int, names: ClusterNames) -> Markup:
    total = sum(sizes) + noise or 1
    bars = [*enumerate(sizes), *([(-1, noise)] if noise else [])]
    groups = [
        Group(
            names.label(i, 22),
            (Bar(n, cluster_colour(i), fmt.percent(n / total), names.called(i)),),
            f"{fmt.integer(n)} users",
        )
        for i, n in bars
    ]
    return bar_chart(groups, label="Users per cluster", name_width=180, bar_height=18)


def _card(profile: ClusterProfile, inputs: ReportInputs) -> Card:
    colour = cluster_colour(profile.cluster)
    hours = [] if inputs.ordered_only else [share or 0.0 for share in profile.hours]
    return Card(
        cluster=profile.cluster,
        name=profile.name,
        traits=trait_rows(profile.traits),
        colour=colour,
        users=fmt.integer(profile.users),
        share=fmt.percent(profile.share),
        facts=_facts(profile, inputs),
        categories=[
            _favourite(entry, entry.category or "(no category)")
            for entry in profile.top_categories[:TOP]
        ],
        items=[_item(entry) for entry in profile.top_items[:TOP]],
        actions=_actions(profile, inputs),
        hours=hours_chart(hours, colour) if len(hours) == 24 and sum(hours) > 0 else None,
    )


def _item(entry: LiftedItem) -> Favourite:
    title = entry.title or f"Item {entry.item_id}"
    return _favourite(entry, title, entry.item_id if entry.title else "")


def _favourite(entry: LiftedItem | LiftedCategory, name: str, id_: str = "") -> Favourite:
    return Favourite(
        name,
        fmt.percent(entry.share),
        fmt.lift(entry.lift),
        id_,
        lift_interval(entry.lift_ci),
        entry.significant is False,
    )


def _facts(profile: ClusterProfile, inputs: ReportInputs) -> list[tuple[str, str]]:
    """Activity, price and recommendation quality of a cluster, as far as they are known."""
    facts = [("Events per user (median)", fmt.decimal(profile.events_per_user_median))]
    if profile.span_days_median is not None and not inputs.ordered_only:
        facts.append(("Days from first to last event", fmt.decimal(profile.span_days_median)))
    if profile.price_median is not None:
        facts.append(("Median price", f"{profile.price_median:,.2f}"))
    judged = judged_split(inputs.comparison) if inputs.comparison else None
    part = judged.split.by_cluster.get(str(profile.cluster)) if judged else None
    ndcg = judged.value(part.models.get(COMBINER)) if judged and part else None
    if judged is not None and ndcg is not None:
        facts.append((f"{judged.title}, combiner ({judged.name})", fmt.metric(ndcg)))
    return facts


def _actions(profile: ClusterProfile, inputs: ReportInputs) -> list[ActionShare]:
    """The mix of actions; empty when the log has one kind of event only."""
    names = sorted({name for p in inputs.profiles for name in p.actions})
    if len(names) < 2:
        return []
    return [
        ActionShare(
            name,
            fmt.percent(share),
            round(share * 100, 2),
            ACTION_COLOURS[i % len(ACTION_COLOURS)],
        )
        for i, name in enumerate(names)
        if (share := profile.actions.get(name) or 0.0) > 0
    ]
