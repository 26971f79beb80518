"""How far the users of each cluster are from the next one."""

from __future__ import annotations

import dataclasses

from markupsafe import Markup

from components.run_report import formats as fmt
from components.run_report.charts.silhouettes import Silhouettes, silhouette_chart
from components.run_report.cluster_names import ClusterNames
from components.run_report.palette import cluster_colour
from components.sequence_clusterer.evaluation_record import EvaluationRecord, SilhouetteSpread


@dataclasses.dataclass(frozen=True)
class ClusterRow:
    """One cluster: `figures` are users, mean silhouette, share below zero."""

    cluster: int
    name: str
    colour: str
    figures: list[str]


@dataclasses.dataclass(frozen=True)
class SilhouetteView:
    """Chart and table."""

    chart: Markup
    rows: list[ClusterRow]
    noise: bool


def silhouette_view(figures: EvaluationRecord, names: ClusterNames) -> SilhouetteView | None:
    """Chart and table; None where no cluster's silhouette was measured."""
    of_clusters = zip(
        figures.silhouette_by_cluster, figures.silhouette_spread, figures.sizes, strict=True
    )
    found = [
        (k, mean, spread, users)
        for k, (mean, spread, users) in enumerate(of_clusters)
        if mean is not None and spread is not None
    ]
    if not found:
        return None
    rows = [_row(k, mean, spread, users, names) for k, mean, spread, users in found]
    shapes = [
        Silhouettes(
            names.label(k, 34),
            users,
            mean,
            spread.quantiles,
            cluster_colour(k),
            f"{names.called(k)}: {row.figures[0]} users, mean silhouette {row.figures[1]}",
        )
        for (k, mean, spread, users), row in zip(found, rows, strict=True)
    ]
    overall = next((c.silhouette for c in figures.by_k if c.k == figures.chosen_k), None)
    return SilhouetteView(
        chart=silhouette_chart(
            shapes,
            overall,
            label="Silhouettes of the users, by cluster",
            description="; ".join(shape.title for shape in shapes) + ".",
        ),
        rows=rows,
        noise=figures.noise > 0,
    )


def _row(
    cluster: int, mean: float, spread: SilhouetteSpread, users: int, names: ClusterNames
) -> ClusterRow:
    below = fmt.percent(spread.below_zero)
    return ClusterRow(
        cluster,
        names.name(cluster),
        cluster_colour(cluster),
        [fmt.integer(users), fmt.signed_decimals(mean, 3), below],
    )
