"""Every clustering that was tried, and how one of them was chosen."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from components.run_report import formats as fmt
from components.sequence_clusterer.evaluation_record import (
    CandidateRecord,
    EvaluationRecord,
)

LONG = 10
"""A table of more rows is folded away."""

RULES = {
    "separation": "Rule: of all candidates the one whose clusters form the most groups parted by"
    " valleys of low density; of equals the one with the fewest clusters, then the highest"
    " silhouette.",
    "silhouette": "Rule: the highest silhouette among the candidates without tiny clusters.",
    "config": "Rule: the number of clusters was set; the other candidates are for comparison.",
}


@dataclasses.dataclass(frozen=True)
class CandidateCell:
    """One figure, with its interval as detail; the best of its column is marked."""

    text: str
    detail: str = ""
    best: bool = False


@dataclasses.dataclass(frozen=True)
class CandidateRow:
    """One algorithm with one K."""

    algorithm: str
    k: int
    chosen: bool
    cells: list[CandidateCell]


@dataclasses.dataclass(frozen=True)
class CandidateView:
    """The table; `columns` are (name, explanation)."""

    columns: list[tuple[str, str]]
    rows: list[CandidateRow]
    rule: str
    folded: bool
    several: bool
    """Whether more than one algorithm was tried."""


@dataclasses.dataclass(frozen=True)
class _Column:
    name: str
    meaning: str
    value: Callable[[CandidateRecord], float | None]
    text: Callable[[CandidateRecord], str]
    detail: Callable[[CandidateRecord], str] = lambda _: ""
    better: int = 0
    """1 where the highest value is best, -1 where the lowest is, 0 where none is."""


def candidate_view(figures: EvaluationRecord) -> CandidateView | None:
    """The table; None where there was nothing to choose from."""
    candidates = figures.candidates
    if len(candidates) < 2:
        return None
    columns = [c for c in _COLUMNS if any(fmt.known(c.value(x)) for x in candidates)]
    best = [_best(column, candidates) for column in columns]
    return CandidateView(
        columns=[(column.name, column.meaning) for column in columns],
        rows=[
            CandidateRow(
                algorithm=fmt.algorithm_name(x.algorithm),
                k=x.k,
                chosen=(x.algorithm, x.k) == (figures.algorithm, figures.chosen_k),
                cells=[
                    CandidateCell(
                        column.text(x), column.detail(x), top is not None and column.value(x) == top
                    )
                    if fmt.known(column.value(x))
                    else CandidateCell(fmt.MISSING)
                    for column, top in zip(columns, best, strict=True)
                ],
            )
            for x in candidates
        ],
        rule=RULES.get(figures.k_from, ""),
        folded=len(candidates) > LONG,
        several=len({x.algorithm for x in candidates}) > 1,
    )


def _best(column: _Column, candidates: Sequence[CandidateRecord]) -> float | None:
    values = [v for x in candidates if (v := column.value(x)) is not None and fmt.known(v)]
    if not column.better or len(values) < 2:
        return None
    return max(values) if column.better > 0 else min(values)


def _interval(ends: Sequence[float | None] | None) -> str:
    if not ends or len(ends) != 2 or not all(fmt.known(end) for end in ends):
        return ""
    return " to ".join(fmt.signed_decimals(end, 3) for end in ends)


def _resampled(x: CandidateRecord) -> float | None:
    return x.stability.ari_resampled if x.stability else None


def _groups(x: CandidateRecord) -> int | None:
    return x.separation.groups if x.separation else None


_COLUMNS = (
    _Column(
        "Silhouette (95%)",
        "higher is better: how much nearer users are to their own cluster than to the next",
        lambda x: x.silhouette,
        lambda x: fmt.signed_decimals(x.silhouette, 3),
        lambda x: _interval(x.silhouette_ci),
        better=1,
    ),
    _Column(
        "Davies–Bouldin",
        "lower is better: spread of the clusters against their distance",
        lambda x: x.davies_bouldin,
        lambda x: fmt.decimal(x.davies_bouldin),
        better=-1,
    ),
    _Column(
        "Calinski–Harabasz",
        "higher is better: variance between clusters against that within",
        lambda x: x.calinski_harabasz,
        lambda x: fmt.decimal(x.calinski_harabasz),
        better=1,
    ),
    _Column(
        "Inertia",
        "squared distances to the middles; always falls with K",
        lambda x: x.inertia,
        lambda x: fmt.decimal(x.inertia),
    ),
    _Column(
        "Gap",
        "how much tighter than a cloud without clusters, on a logarithmic scale",
        lambda x: x.gap,
        lambda x: fmt.signed_decimals(x.gap, 3),
        lambda x: f"± {x.gap_error:.3f}" if x.gap_error is not None else "",
    ),
    _Column(
        "BIC",
        "lower is better: fit against the number of parameters",
        lambda x: x.bic,
        lambda x: fmt.decimal(x.bic).replace("-", "−"),
        better=-1,
    ),
    _Column(
        "Stability (95%)",
        "higher is better: adjusted Rand index with bootstrap resamples",
        _resampled,
        lambda x: fmt.signed_decimals(_resampled(x), 3),
        lambda x: _interval(x.stability.ari_resampled_ci if x.stability else None),
        better=1,
    ),
    _Column(
        "Groups",
        "clusters left when those without a valley of low density between them are joined",
        _groups,
        lambda x: fmt.integer(_groups(x)),
        better=1,
    ),
    _Column(
        "Smallest cluster",
        "users of the smallest cluster",
        lambda x: x.smallest_cluster,
        lambda x: fmt.integer(x.smallest_cluster),
    ),
    _Column(
        "Noise",
        "share of the users who belong to no cluster",
        lambda x: x.noise_share,
        lambda x: fmt.percent(x.noise_share),
    ),
)
