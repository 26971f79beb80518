"""What became of the last run's clusters."""

from __future__ import annotations

import dataclasses

from components.run_report import formats as fmt
from components.sequence_clusterer.evaluation_record import EvaluationRecord, LastingClusters
from components.sequence_clusterer.profiles_record import ClusterProfile

_KINDS = {
    "kept": "goes on",
    "merged": "took in no. {}",
    "split off": "split off from no. {}",
    "created": "new",
    "retired": "retired",
}


@dataclasses.dataclass(frozen=True)
class ChangeRow:
    """One cluster of this run or the last; figures are users."""

    number: str
    cluster: str
    name: str
    last_name: str
    what: str
    users: str
    stayed: str
    joined: str
    news: bool
    """Something else than going on."""


@dataclasses.dataclass(frozen=True)
class FlowTable:
    """Users of both runs: a row for each old cluster, a column for each new one."""

    columns: list[str]
    rows: list[tuple[str, str, list[str]]]


@dataclasses.dataclass(frozen=True)
class ChangesView:
    """The whole section."""

    reason: str
    rows: list[ChangeRow]
    flows: FlowTable | None
    anew: str


def changes_view(
    clustering: EvaluationRecord | None, profiles: list[ClusterProfile]
) -> ChangesView | None:
    """The section; None when there was no last run to compare with.

    Args:
        clustering: with `lasting`, if the run has it.
        profiles: of this run's clusters, for their names.
    """
    lasting = clustering.lasting if clustering else None
    if lasting is None or lasting.last is None:
        return None
    return ChangesView(
        reason=lasting.reason,
        rows=_rows(lasting, {profile.cluster: profile.name for profile in profiles}),
        flows=_flows(lasting),
        anew=_anew(lasting),
    )


def _rows(lasting: LastingClusters, names: dict[int, str]) -> list[ChangeRow]:
    """Clusters of this run by index, then those that are gone."""
    assert lasting.last is not None
    last_names = dict(zip(lasting.last.ids, lasting.last.names, strict=False))
    rows = []
    by_index = sorted(
        lasting.changes, key=lambda change: (change.cluster is None, change.cluster or 0)
    )
    for change in by_index:
        k = change.cluster
        joined = lasting.new_users[k] if k is not None and lasting.new_users else None
        what = _KINDS.get(change.kind, change.kind)
        known = f"{fmt.integer(change.stayed)} of {fmt.integer(change.before)}"
        rows.append(
            ChangeRow(
                number=f"No. {change.lasting_id}",
                cluster=fmt.MISSING if k is None else fmt.cluster_name(k),
                name="" if k is None else names.get(k, ""),
                last_name=last_names.get(change.lasting_id, ""),
                what=what.format(", ".join(map(str, change.others))),
                users=fmt.MISSING if k is None else fmt.integer(change.users),
                stayed=known if change.before else fmt.MISSING,
                joined=fmt.MISSING if joined is None else fmt.integer(joined),
                news=change.kind != "kept",
            )
        )
    return rows


def _flows(lasting: LastingClusters) -> FlowTable | None:
    """None where the two runs were not compared."""
    if not lasting.flows or lasting.last is None:
        return None
    rows = [
        (f"No. {number}", name, [fmt.integer(users) for users in row])
        for number, name, row in zip(
            lasting.last.ids, lasting.last.names, lasting.flows, strict=False
        )
    ]
    return FlowTable([f"No. {number}" for number in lasting.ids], rows)


def _anew(lasting: LastingClusters) -> str:
    """What there would be without the last run, in a sentence; "" if that is what there is."""
    if lasting.anew is None:
        return ""
    ari = lasting.anew.ari
    likeness = f"; its adjusted Rand index with these is {ari:.2f}" if ari is not None else ""
    return (
        f"A choice without the last run would be K = {lasting.anew.k}"
        f" ({fmt.algorithm_name(lasting.anew.algorithm)}){likeness}."
    )
