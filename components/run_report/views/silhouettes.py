"""How far the users of each cluster are from the next one."""

from __future__ import annotations

import dataclasses

from markupsafe import Markup

from components.run_report import formats as fmt
from components.run_report.charts.silhouettes import Silhouettes, silhouette_chart
from components.run_report.cluster_names import ClusterNames
from components.run_report.clustering_figures import ClusteringFigures, SilhouetteSpread
from components.run_report.palette import cluster_colour


@dataclasses.dataclass(frozen=True)
class ClusterRow:
    """One cluster: `figures` are users, mean silhouette, share below zero."""

    cluster: int
    name: str
    colour: str
    figures: list[str]


@dataclasses.dataclass(frozen=True)
class SilhouetteView:
    """Chart and table; `spread` says whether the users' values are known, not only means."""

    chart: Markup
    rows: list[ClusterRow]
    spread: bool
    noise: bool


def silhouette_view(figures: ClusteringFigures, names: ClusterNames) -> SilhouetteView | None:
    """Chart and table; None where no cluster's silhouette was measured."""
    means = figures.silhouette_by_cluster
    spreads = figures.silhouette_spread or [None] * len(means)
    sizes = figures.sizes or [0] * len(means)
    found = [
        (k, mean, spread, users)
        for k, (mean, spread, users) in enumerate(zip(means, spreads, sizes, strict=False))
        if mean is not None
    ]
    if not found:
        return None
    rows = [_row(k, mean, spread, users, names) for k, mean, spread, users in found]
    shapes = [
        Silhouettes(
            names.label(k, 34),
            users,
            mean,
            _values(mean, spread),
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
        spread=any(spread is not None for _, _, spread, _ in found),
        noise=figures.noise > 0,
    )


def _values(mean: float, spread: SilhouetteSpread | None) -> tuple[float, ...]:
    """What is drawn: the quantiles, or the mean alone where they are not known."""
    if spread is None or len(spread.quantiles) < 2:
        return mean, mean
    return tuple(spread.quantiles)


def _row(
    cluster: int, mean: float, spread: SilhouetteSpread | None, users: int, names: ClusterNames
) -> ClusterRow:
    below = fmt.percent(spread.below_zero if spread else None)
    return ClusterRow(
        cluster,
        names.name(cluster),
        cluster_colour(cluster),
        [fmt.integer(users), fmt.signed_decimals(mean, 3), below],
    )
