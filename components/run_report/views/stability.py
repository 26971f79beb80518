"""Whether the clusters come back when the users are drawn anew."""

from __future__ import annotations

import dataclasses

from markupsafe import Markup

from components.run_report import formats as fmt
from components.run_report.charts.bars import Bar, Group, bar_chart
from components.run_report.cluster_names import ClusterNames
from components.run_report.palette import cluster_colour
from components.run_report.views.matrix import Matrix, share_matrix
from components.sequence_clusterer.evaluation_record import EvaluationRecord, StabilityRecord

MIXED = 0.1
"""From this share of pairs on, two clusters are said not to be kept apart."""
_PAIRS = 3


@dataclasses.dataclass(frozen=True)
class StabilityView:
    """The whole section.

    Attributes:
        sentences: what the figures say.
        jaccard: chart of the clusters' coefficients with their reading.
        together: shares of pairs that a resample put into one cluster; None where unknown.
        resamples: how many were drawn.
        users: from how many users.
    """

    sentences: list[str]
    jaccard: Markup | None
    together: Matrix | None
    resamples: int
    users: str


def stability_view(figures: EvaluationRecord | None, names: ClusterNames) -> StabilityView | None:
    """The section; None where stability was not measured, as for one cluster."""
    stability = figures.stability if figures else None
    if stability is None:
        return None
    return StabilityView(
        sentences=_sentences(stability, names),
        jaccard=_jaccard(stability, names),
        together=_together(stability, names),
        resamples=stability.resamples,
        users=fmt.integer(stability.users),
    )


def _sentences(stability: StabilityRecord, names: ClusterNames) -> list[str]:
    said = []
    if fmt.known(stability.ari_resampled):
        interval = ""
        if stability.ari_resampled_ci and all(fmt.known(x) for x in stability.ari_resampled_ci):
            low, high = (fmt.signed_decimals(x, 2) for x in stability.ari_resampled_ci)
            interval = f" (95% of the resamples: {low} to {high})"
        seeds = ""
        if fmt.known(stability.ari_reseeded):
            seeds = f", other seeds at {fmt.signed_decimals(stability.ari_reseeded, 2)}"
        said.append(
            "Clusterings of resampled users agree with this one at an adjusted Rand index of"
            f" {fmt.signed_decimals(stability.ari_resampled, 2)}{interval}{seeds};"
            " 1 is the same clustering, 0 what chance gives."
        )
    dissolved = [
        k for k, word in enumerate(stability.readings) if word in ("dissolved", "doubtful")
    ]
    if dissolved:
        called = ", ".join(names.called(k) for k in dissolved)
        said.append(f"Do not build on what does not come back: {called}.")
    elif stability.readings and all("stable" in word for word in stability.readings):
        said.append("Every cluster comes back.")
    pairs = _mixed(stability)
    if pairs:
        listed = "; ".join(
            f"{names.called(i)} and {names.called(j)} ({fmt.percent(share, 0)})"
            for share, i, j in pairs
        )
        said.append(f"Not kept apart in every resample: {listed}.")
    return said


def _mixed(stability: StabilityRecord) -> list[tuple[float, int, int]]:
    """The pairs of clusters that resamples put together most often, at most three."""
    rows = stability.together
    pairs = [
        (share, i, j)
        for i, row in enumerate(rows)
        for j, share in enumerate(row)
        if i < j and share is not None and share >= MIXED
    ]
    return sorted(pairs, reverse=True)[:_PAIRS]


def _jaccard(stability: StabilityRecord, names: ClusterNames) -> Markup | None:
    if not stability.jaccard:
        return None
    readings = [*stability.readings, *([""] * len(stability.jaccard))]
    groups = [
        Group(
            names.label(k, 22),
            (Bar(value, cluster_colour(k), _figure(value, word), names.called(k)),),
        )
        for k, (value, word) in enumerate(zip(stability.jaccard, readings, strict=False))
    ]
    return bar_chart(
        groups,
        label="Jaccard coefficient of each cluster over resamples",
        x_title="mean Jaccard coefficient",
        description="; ".join(f"{group.name}: {group.bars[0].text}" for group in groups),
        name_width=180,
        highest=1.0,
    )


def _figure(value: float | None, word: str) -> str:
    figure = fmt.signed_decimals(value, 2)
    return f"{figure} {word}".strip() if fmt.known(value) else word or figure


def _together(stability: StabilityRecord, names: ClusterNames) -> Matrix | None:
    if len(stability.together) < 2:
        return None
    return share_matrix(
        "Cluster",
        [str(j) for j in range(len(stability.together))],
        [(names.label(i, 28), row) for i, row in enumerate(stability.together)],
    )
