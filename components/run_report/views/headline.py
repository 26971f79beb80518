"""The top of the page: verdict, key figures, and the result in a few sentences."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from components.baseline_model.record import BaselineRecord
from components.gates.verdict import Status, Verdict
from components.run_report import formats as fmt
from components.run_report.inputs import ReportInputs
from components.run_report.views.results import Judged, best_free, judged_split, value
from trainer.evaluation.chance import ENOUGH_USERS, too_few
from trainer.evaluation.compared_models import COMBINER, COMPARED_MODELS, ENCODER, GLOBAL

SHOWN_FAILURES = 5

# Style class, a sign that needs no colour, and title.
_BANNERS: Mapping[Status, tuple[str, str, str]] = {
    "pushed": ("good", "✓", "Pushed"),
    "already_served": ("same", "=", "Already served"),
    "rolled_back": ("bad", "✗", "Not pushed: rolled back before"),
    "overtaken": ("bad", "✗", "Not pushed: something else is served now"),
    "refused": ("bad", "✗", "Refused"),
    "not_judged": ("open", "?", "Not judged"),
}


@dataclasses.dataclass(frozen=True)
class Banner:
    """The verdict; `state` is its style class, `mark` a sign that needs no colour."""

    state: str
    mark: str
    title: str
    text: str
    failures: list[str]
    more: int = 0


@dataclasses.dataclass(frozen=True)
class Tile:
    """A key figure."""

    name: str
    value: str
    detail: str = ""


def banner(verdict: Verdict) -> Banner:
    """The verdict in words: what the terminal says, under a title."""
    failures = [fmt.sentence(decision.sentence) for decision in verdict.failed]
    state, mark, title = _BANNERS[verdict.status]
    text = fmt.sentence(verdict.sentence)
    if verdict.status == "pushed":
        title += ": every gate passed" if verdict.enforced else ": no gate was enforced"
        text = f"The new model was {verdict.sentence}."
        if failures:
            text += f" {_count(failures)} would have refused it."
    elif verdict.status == "refused":
        if any(decision.gate == "served" for decision in verdict.failed):
            title += ": the model cannot be served"
        elif failures:
            title += f": {_count(failures)} failed"
        text += " What is served stays as it is."
    elif verdict.status == "already_served":
        failures = []
    if verdict.baseline and verdict.status != "already_served":
        text += f" The new model was measured against {baseline_name(verdict.baseline)}."
    return Banner(
        state, mark, title, text, failures[:SHOWN_FAILURES], max(len(failures) - SHOWN_FAILURES, 0)
    )


def _count(failures: list[str]) -> str:
    return f"{len(failures)} gate{'s' if len(failures) != 1 else ''}"


def baseline_name(baseline: BaselineRecord) -> str:
    """What the candidate was measured against."""
    served = baseline.kind == "served" and baseline.version
    return f"{baseline.title} (version {baseline.version})" if served else baseline.title


def tiles(inputs: ReportInputs) -> list[Tile]:
    """The key figures, as far as the run has them."""
    shown: list[Tile] = []
    data = inputs.data_quality
    if data is not None:
        span = ""
        if data.first_event and data.last_event:
            span = f"{_day(data.first_event)} to {_day(data.last_event)}"
        shown += [
            Tile("Events kept", fmt.integer(data.events_kept), span),
            Tile("Users", fmt.integer(data.users), f"{fmt.integer(data.items)} items"),
        ]
    if inputs.clustering is not None:
        algorithm = fmt.algorithm_name(inputs.clustering.algorithm)
        detail = f"by {algorithm}"
        if inputs.clustering.clusters_found is False:
            detail += ", parts of a continuum"
        shown.append(Tile("Clusters", str(inputs.clustering.chosen_k), detail))
    judged = judged_split(inputs.comparison) if inputs.comparison else None
    if judged is None:
        return shown
    combiner = judged.split.overall.get(COMBINER)
    ndcg = judged.value(combiner)
    shown.append(Tile(judged.title, fmt.metric(ndcg), f"combiner, {judged.name} users"))
    shown.append(
        Tile("HR@10", fmt.metric(value(combiner, "hr@10")), f"{judged.item} among the first ten")
    )
    free = best_free(judged)
    enough = judged.split.users >= ENOUGH_USERS
    if free is not None and ndcg is not None and free[1] and enough:
        against = [f"{fmt.model_name(free[0])}: {fmt.metric(free[1])}", *_for_sure(inputs)]
        lead = fmt.signed_percent(ndcg / free[1] - 1)
        shown.append(Tile("Over free baseline", lead, "; ".join(against)))
    return shown


def _for_sure(inputs: ReportInputs) -> list[str]:
    """What chance leaves of the lead over the best free baseline, as the gate says it."""
    overall = [d for d in inputs.verdict.decisions if (d.gate, d.slice) == ("free", "overall")]
    return [decision.rule for decision in overall]


def _day(text: str) -> str:
    return fmt.moment(text).split(",")[0]


def sentences(inputs: ReportInputs) -> list[str]:
    """What the figures say, in the order in which a reader would ask."""
    judged = judged_split(inputs.comparison) if inputs.comparison else None
    if judged is None:
        return []
    ndcg = judged.overall(COMBINER)
    if ndcg is None:
        return []
    said = [f"On the {judged.name} users the combiner reaches {judged.title} {fmt.metric(ndcg)}"]
    if judged.split.users < ENOUGH_USERS:
        few = too_few(judged.split.users, judged.name)
        return [f"{said[0]}.", f"Whether that is better than the other models: {few}."]
    free = best_free(judged)
    if free is not None and free[1]:
        word = "above" if ndcg >= free[1] else "below"
        said[0] += (
            f", {fmt.percent(abs(ndcg / free[1] - 1))} {word} the best baseline that costs nothing"
            f" ({COMPARED_MODELS[free[0]].title}: {fmt.metric(free[1])})"
        )
    said[0] += "."
    said += _transitions(judged) + _specialists(inputs, judged, ndcg)
    return said


def _transitions(judged: Judged) -> list[str]:
    """What counting which items follow which brought to the encoder."""
    before, after = (judged.overall(name) for name in (ENCODER, GLOBAL))
    if before is None or after is None:
        return []
    relative = f" ({fmt.signed_percent(after / before - 1)})" if before else ""
    return [
        "Counting which items follow which (item transitions, in every model from the global "
        f"encoder on) brought {fmt.signed_metric(after - before)}{relative}."
    ]


def _specialists(inputs: ReportInputs, judged: Judged, ndcg: float) -> list[str]:
    """What clustering brought on top of the one encoder for all."""
    alone = judged.overall(GLOBAL)
    if alone is None:
        return []
    change = fmt.signed_metric(ndcg - alone)
    relative = f" ({fmt.signed_percent(ndcg / alone - 1)})" if alone else ""
    said = [
        f"The specialists' share in that, combiner against the global encoder alone, is {change}"
        f"{relative}."
    ]
    if inputs.combination is not None and not inputs.combination.kept:
        said.append("The combination was not kept: the served model is the global encoder.")
        return said
    pairs = [
        (a, b)
        for part in judged.split.by_cluster.values()
        if part.users >= ENOUGH_USERS
        and (a := judged.value(part.models.get(COMBINER))) is not None
        and (b := judged.value(part.models.get(GLOBAL))) is not None
    ]
    if len(pairs) > 1:
        # Differences that no table shows (four decimals) do not count as better or worse.
        ahead = sum(a - b >= 0.00005 for a, b in pairs)
        behind = sum(b - a >= 0.00005 for a, b in pairs)
        said.append(
            f"In the {len(pairs)} clusters with at least {ENOUGH_USERS} users, the combiner's "
            f"figure is higher than the global encoder's in {ahead} and lower in {behind}."
        )
    return said
