"""How far the clusters agree with labels from outside."""

from __future__ import annotations

import dataclasses

from components.run_report import formats as fmt
from components.run_report.cluster_names import ClusterNames
from components.run_report.views.matrix import ShadedCell, share_cell
from components.sequence_clusterer.evaluation_record import LabelAgreement, LabelColumn

SIGNIFICANT = 0.05


@dataclasses.dataclass(frozen=True)
class LabelRow:
    """Agreement with one column; `figures` are NMI, AMI, ARI, homogeneity, completeness, p."""

    name: str
    users: str
    figures: list[str]
    agrees: bool


@dataclasses.dataclass(frozen=True)
class LabelTable:
    """What part of each cluster has each value of a column; `rows` with users in front."""

    name: str
    values: list[str]
    rows: list[tuple[str, str, list[ShadedCell]]]


@dataclasses.dataclass(frozen=True)
class LabelsView:
    """The whole section."""

    file: str
    matched: str
    in_file: str
    rows: list[LabelRow]
    tables: list[LabelTable]
    skipped: dict[str, str]
    verdict: str


def labels_view(labels: LabelAgreement | None, names: ClusterNames) -> LabelsView | None:
    """The section; None when the run was given no labels."""
    if labels is None:
        return None
    rows = [_row(column) for column in labels.columns]
    return LabelsView(
        file=labels.file,
        matched=fmt.integer(labels.matched),
        in_file=fmt.integer(labels.users_in_file),
        rows=rows,
        tables=[_table(column, names) for column in labels.columns],
        skipped=labels.skipped,
        verdict=_verdict([row.name for row in rows if row.agrees], len(rows)),
    )


def _verdict(agreeing: list[str], columns: int) -> str:
    if not columns:
        return "None of its columns could be compared."
    if not agreeing:
        return "The clusters agree with none of them more than chance does."
    return f"More than by chance the clusters agree with: {', '.join(agreeing)}."


def _row(column: LabelColumn) -> LabelRow:
    measures = (
        column.nmi, column.ami, column.ari, column.homogeneity, column.completeness,
    )  # fmt: skip
    q = column.q_value
    return LabelRow(
        name=column.column,
        users=fmt.integer(column.users),
        figures=[fmt.signed_decimals(value, 3) for value in measures] + [_p(column.p_value), _p(q)],
        agrees=q is not None and fmt.known(q) and q <= SIGNIFICANT,
    )


def _table(column: LabelColumn, names: ClusterNames) -> LabelTable:
    rows = [
        (names.label(k, 60), fmt.integer(sum(counts)), [share_cell(share) for share in shares])
        for k, (counts, shares) in enumerate(zip(column.table, column.row_shares, strict=True))
    ]
    overall = [share_cell(share) for share in column.overall_shares]
    rows.append(("All of these users", fmt.integer(column.users), overall))
    return LabelTable(column.column, column.values, rows)


def _p(value: float | None) -> str:
    return f"{value:.3f}" if value is not None and fmt.known(value) else fmt.MISSING
