"""Which users changed cluster between two moments, and what became of the clusters."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence

from markupsafe import Markup

from components.run_report import formats as fmt
from components.run_report.charts.flows import FAINTEST, Place, flow_chart
from components.run_report.cluster_names import ClusterNames
from components.run_report.palette import NOISE_COLOUR, cluster_colour
from components.run_report.views.matrix import Matrix, share_matrix
from components.run_report.views.transitions import (
    clusters_moved,
    earlier,
    largest_moves,
    users_moved,
)
from components.sequence_clusterer.evaluation_record import (
    ClusterTransitions,
    DriftRecord,
    EvaluationRecord,
)

_EARLIER_COLOUR = "#7a8794"
_LONGEST = 27


@dataclasses.dataclass(frozen=True)
class PeriodComparison:
    """One comparison of the two moments.

    Attributes:
        chart: bands between the clusters then and now.
        matrix: of the users of a cluster then, what share is in which one now.
        sentences: what became of the clusters.
        undrawn: share of the users in flows that are too faint to be drawn; "" for none.
    """

    chart: Markup
    undrawn: str
    matrix: Matrix
    sentences: list[str]


@dataclasses.dataclass(frozen=True)
class FlowsView:
    """The whole section.

    Attributes:
        reason: why nothing was measured, a sentence; then the rest is empty.
        users: who have events on both sides of the moment.
        moment: the earlier one of the two.
        headline: how many users moved, and how much of it is uncertainty of the clustering.
        assigned: users move between the clusters of this run.
        refitted: clusters made from the earlier moment, against those of this run.
        faintest: flows of a smaller share of the users are not drawn.
    """

    reason: str
    users: str
    moment: str
    headline: list[str]
    assigned: PeriodComparison | None
    refitted: PeriodComparison | None
    faintest: str


def flows_view(figures: EvaluationRecord | None, names: ClusterNames) -> FlowsView | None:
    """The section; None for one cluster and for runs that did not look at drift."""
    drift = figures.drift if figures else None
    if figures is None or drift is None or figures.chosen_k < 2:
        return None
    moment = ""
    if drift.moment is not None:
        moment = fmt.moment(dt.datetime.fromtimestamp(drift.moment, dt.timezone.utc).isoformat())
    assigned, refitted = drift.assigned, drift.refitted
    return FlowsView(
        reason=fmt.sentence(drift.reason),
        users=fmt.integer(drift.users),
        moment=moment,
        headline=_headline(drift, figures),
        assigned=_compare(
            assigned,
            _now(len(assigned.flows) - 1, names),
            users_moved(assigned, names),
            names,
            "Users by cluster, then and now",
        )
        if assigned and assigned.flows
        else None,
        refitted=_compare(
            refitted,
            _earlier(len(refitted.flows) - 1),
            clusters_moved(refitted, names),
            names,
            "Users by the clusters made then and those of this run",
        )
        if refitted and refitted.flows
        else None,
        faintest=fmt.percent(FAINTEST),
    )


def _headline(drift: DriftRecord, figures: EvaluationRecord) -> list[str]:
    """How many moved, where to, and how much of it resampling would move."""
    said = []
    if fmt.known(drift.changed):
        said.append(f"{fmt.percent(drift.changed)} of them are in another cluster now.")
    if drift.assigned and (moves := largest_moves(drift.assigned)):
        said.append(f"The largest moves: {moves}.")
    if fmt.known(drift.ari):
        text = (
            "Clusters made from what was known at the earlier moment agree with those of this run"
            f" at an adjusted Rand index of {fmt.signed_decimals(drift.ari, 2)}"
        )
        stable = figures.stability.ari_resampled if figures.stability else None
        if fmt.known(stable):
            text += (
                ", and clusters of resampled users agree with them at"
                f" {fmt.signed_decimals(stable, 2)}. How far the first figure lies below the second"
                " is change; the rest is the uncertainty of the clustering itself"
            )
        said.append(f"{text}.")
    return said


def _now(clusters: int, names: ClusterNames) -> list[Place]:
    """The clusters of this run, noise last."""
    return [Place(names.label(k, _LONGEST), cluster_colour(k)) for k in (*range(clusters), -1)]


def _earlier(clusters: int) -> list[Place]:
    """Clusters of the earlier moment, which have numbers of their own; noise last."""
    found = [Place(earlier(k), _EARLIER_COLOUR) for k in range(clusters)]
    return [*found, Place(fmt.cluster_name(-1), NOISE_COLOUR)]


def _compare(
    found: ClusterTransitions,
    before: Sequence[Place],
    sentences: list[str],
    names: ClusterNames,
    label: str,
) -> PeriodComparison | None:
    """Chart and table of the clusters that have users; None where there are none."""
    rows = [i for i, row in enumerate(found.flows) if sum(row)]
    if not rows:
        return None
    noise = len(found.flows[0]) - 1
    after = _now(noise, names)
    columns = [j for j, column in enumerate(zip(*found.flows, strict=True)) if sum(column)]
    flows = [[found.flows[i][j] for j in columns] for i in rows]
    total = sum(map(sum, flows))
    faint = sum(users for row in flows for users in row if users < FAINTEST * total)
    return PeriodComparison(
        chart=flow_chart(
            [before[i] for i in rows],
            [after[j] for j in columns],
            flows,
            label=label,
            titles=("then", "now"),
            description=" ".join(sentences),
        ),
        undrawn=fmt.percent(faint / total) if faint else "",
        matrix=share_matrix(
            "Then in",
            ["no cluster" if j == noise else str(j) for j in columns],
            [
                (before[i].name, [users / sum(row) for users in row])
                for i, row in zip(rows, flows, strict=True)
            ],
        ),
        sentences=sentences,
    )
