"""What the clusters are worth: lifts over the global encoder and its controls."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from markupsafe import Markup

from components.cluster_combiner.record import TOO_FEW, Lift, WorthRecord
from components.run_report import formats as fmt
from components.run_report.charts.intervals import Difference, interval_chart
from components.run_report.cluster_names import ClusterNames
from components.run_report.palette import cluster_colour
from trainer.evaluation.compared_models import COMPARED_MODELS, CONTINUED
from trainer.training.training_record import TrainingRecord


@dataclasses.dataclass(frozen=True)
class WorthRow:
    """One line of the table of lifts."""

    model: str
    against: str
    whose: str
    users: str
    lift: str
    interval: str
    effect: str


@dataclasses.dataclass(frozen=True)
class WorthView:
    """The whole section.

    Attributes:
        sentences: the verdict on the test users.
        recommendation: which model to serve, and why.
        overall: chart of all models against the global encoder and the controls; None where there
            are too few users.
        by_cluster: chart of the judged model's lift in each cluster, over every rival.
        folded: whether that chart is so long that it is folded away.
        judged: the model's name.
        rows: every lift, split by split.
        costs: (what, figure).
        controls: whether controls were trained.
    """

    sentences: list[str]
    recommendation: str
    overall: Markup | None
    by_cluster: Markup | None
    folded: bool
    judged: str
    rows: list[tuple[str, list[WorthRow]]]
    costs: list[tuple[str, str]]
    controls: bool


LONG = 24
"""A chart by cluster with more lines is folded away."""

_ADVICE = {
    "combination": "Serve the combination",
    "global": "Serve the global encoder alone, which is cheaper",
    "train longer": "Serve the global encoder alone and train it longer",
}


def worth_view(
    worth: WorthRecord | None,
    encoder: TrainingRecord | None,
    specialists: Sequence[TrainingRecord],
    names: ClusterNames,
) -> WorthView | None:
    """The section; None when nothing was compared."""
    lifts = worth.splits.get("test") or [] if worth else []
    if worth is None or not any(x.users for x in lifts):
        return None
    shown = [x for x in lifts if x.effect != TOO_FEW]
    whole = [x for x in shown if x.cluster is None]
    against = list(dict.fromkeys(x.against for x in whole))
    overall = interval_chart(
        [
            (
                f"Against {COMPARED_MODELS[rival].title}",
                [
                    _difference(fmt.model_name(x.model), x, COMPARED_MODELS[x.model].colour)
                    for x in whole
                    if x.against == rival
                ],
            )
            for rival in against
        ],
        label="Difference in NDCG@10 with its interval, by model and what it is compared with",
        x_title="difference in NDCG@10, test users",
    )
    judged = worth.verdict.judged
    parts: dict[int, list[Lift]] = {}
    for x in shown:
        if x.model == judged and x.cluster is not None:
            parts.setdefault(x.cluster, []).append(x)
    by_cluster = interval_chart(
        [(_heading(k, found[0], names), [_rival(x) for x in found]) for k, found in parts.items()],
        label="Difference in NDCG@10 with its interval, by cluster and what it is compared with",
        x_title="difference in NDCG@10, test users of the cluster",
    )
    why = fmt.sentence(worth.why)
    return WorthView(
        sentences=[names.in_text(sentence) for sentence in worth.verdict.sentences],
        recommendation=f"{_ADVICE.get(worth.recommendation, worth.recommendation)}. {why}",
        overall=overall if whole else None,
        by_cluster=by_cluster if len(parts) > 1 else None,
        folded=sum(map(len, parts.values())) > LONG,
        judged=fmt.model_name(judged),
        rows=[
            (split, [_row(x, names) for x in found])
            for split, found in worth.splits.items()
            if found
        ],
        costs=_costs(worth, encoder, specialists),
        controls=any(x.model == CONTINUED for x in lifts),
    )


def _difference(name: str, lift: Lift, colour: str) -> Difference:
    scale = 100 / lift.base if lift.base else 0.0
    return Difference(
        name,
        mean=lift.mean * scale,
        low=lift.low * scale,
        high=lift.high * scale,
        colour=colour,
        detail=f"{lift.mean:+.4f} ({lift.low:+.4f} to {lift.high:+.4f})",
    )


def _heading(cluster: int, lift: Lift, names: ClusterNames) -> str:
    return f"{names.label(cluster, 84)} · {fmt.integer(lift.users)} users"


def _rival(lift: Lift) -> Difference:
    colour = cluster_colour(lift.cluster if lift.cluster is not None else -1)
    return _difference(f"against {COMPARED_MODELS[lift.against].title}", lift, colour)


def _row(lift: Lift, names: ClusterNames) -> WorthRow:
    return WorthRow(
        model=fmt.model_name(lift.model),
        against=fmt.model_name(lift.against),
        whose="all" if lift.cluster is None else names.called(lift.cluster),
        users=fmt.integer(lift.users),
        lift=fmt.signed_percent(lift.relative),
        interval=f"{lift.mean:+.4f} ({lift.low:+.4f} to {lift.high:+.4f})",
        effect=lift.effect,
    )


def _costs(
    worth: WorthRecord, encoder: TrainingRecord | None, specialists: Sequence[TrainingRecord]
) -> list[tuple[str, str]]:
    costs = []
    seconds = [run.seconds for run in specialists if run.seconds is not None]
    if encoder is not None and encoder.seconds:
        costs.append(("Training, global encoder", fmt.duration(encoder.seconds)))
        if seconds:
            share = fmt.percent(sum(seconds) / encoder.seconds)
            total = fmt.duration(sum(seconds))
            costs.append(("Training, all specialists", f"{total}, {share} of the encoder's"))
    for name, milliseconds in worth.serving_ms.items():
        if milliseconds is not None:
            costs.append((f"Serving one history, {name}", f"{milliseconds:.1f} ms"))
    return costs
