"""The top of the page: verdict, key figures, and the result in a few sentences."""

from __future__ import annotations

import dataclasses

from components.run_report import formats as fmt
from components.run_report.inputs import Baseline, ReportInputs, SplitComparison, Verdict
from components.run_report.views.gates import failure_sentence
from components.run_report.views.results import best_free, judged_split, value

SHOWN_FAILURES = 5

BASELINE_NAMES = {
    "served": "the model in production",
    "popularity": "popularity",
    "own_items": "own items, then popularity",
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


def banner(verdict: Verdict, baseline: Baseline | None, gated: bool) -> Banner:
    """The verdict in words.

    Args:
        verdict: the outcome.
        baseline: what the candidate was measured against.
        gated: whether any gate was enforced.
    """
    against = f" It was measured against {baseline_name(baseline)}." if baseline else ""
    if verdict.outcome == "pushed":
        title = "Pushed: every gate passed" if gated else "Pushed: no gate was enforced"
        passed = "passed every gate" if gated else "was not held against any gate"
        goes = "goes into production"
        if verdict.destination:
            version = f"as version {verdict.version} " if verdict.version else ""
            goes = f"was pushed {version}to {verdict.destination}"
        return Banner("good", "✓", title, f"The new model {passed} and {goes}.{against}", [])
    if verdict.outcome == "already_served":
        version = f", version {verdict.version}" if verdict.version else ""
        return Banner(
            "same",
            "=",
            "Already served",
            f"This run gives the very model that is in production{version}: nothing new to push.",
            [],
        )
    if verdict.outcome == "refused":
        count = len(verdict.failed)
        title = f"Refused: {count} gate{'s' if count != 1 else ''} failed" if count else "Refused"
        reasons = [failure_sentence(gate) for gate in verdict.failed[:SHOWN_FAILURES]]
        if verdict.unservable:
            title = "Refused: the model cannot be served"
            reasons.insert(0, fmt.sentence(verdict.unservable))
        return Banner(
            "bad",
            "✗",
            title,
            f"The new model was not pushed; what is served stays as it is.{against}",
            reasons,
            max(count - SHOWN_FAILURES, 0),
        )
    return Banner(
        "open",
        "?",
        "Not judged",
        "The run has no decision of the Evaluator, so nothing was pushed or refused.",
        [],
    )


def baseline_name(baseline: Baseline) -> str:
    """What the candidate was measured against."""
    name = BASELINE_NAMES.get(baseline.kind, baseline.kind or "the baseline")
    served = baseline.kind == "served" and baseline.version
    return f"{name} (version {baseline.version})" if served else name


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
    name, split = judged
    combiner = split.overall.get("combiner")
    ndcg = value(combiner)
    shown.append(Tile("NDCG@10", fmt.metric(ndcg), f"combiner, {name} users"))
    shown.append(
        Tile("HR@10", fmt.metric(value(combiner, "hr@10")), "next item among the first ten")
    )
    free = best_free(split)
    if free is not None and ndcg is not None and free[1]:
        shown.append(
            Tile(
                "Over free baseline",
                fmt.signed_percent(ndcg / free[1] - 1),
                f"{fmt.model_name(free[0])}: {fmt.metric(free[1])}",
            )
        )
    return shown


def _day(text: str) -> str:
    return fmt.moment(text).split(",")[0]


def sentences(inputs: ReportInputs) -> list[str]:
    """What the figures say, in the order in which a reader would ask."""
    judged = judged_split(inputs.comparison) if inputs.comparison else None
    if judged is None:
        return []
    name, split = judged
    ndcg = value(split.overall.get("combiner"))
    if ndcg is None:
        return []
    said = [f"On the {name} users the combiner reaches NDCG@10 {fmt.metric(ndcg)}"]
    free = best_free(split)
    if free is not None and free[1]:
        word = "above" if ndcg >= free[1] else "below"
        said[0] += (
            f", {fmt.percent(abs(ndcg / free[1] - 1))} {word} the best baseline that costs nothing"
            f" ({fmt.model_name(free[0]).lower()}: {fmt.metric(free[1])})"
        )
    said[0] += "."
    said += _transitions(split) + _specialists(inputs, split, ndcg)
    return said


def _transitions(split: SplitComparison) -> list[str]:
    """What counting which items follow which brought to the encoder."""
    before, after = (value(split.overall.get(name)) for name in ("encoder", "global"))
    if before is None or after is None:
        return []
    relative = f" ({fmt.signed_percent(after / before - 1)})" if before else ""
    return [
        "Counting which items follow which (item transitions, in every model from the global "
        f"encoder on) brought {fmt.signed_metric(after - before)}{relative}."
    ]


def _specialists(inputs: ReportInputs, split: SplitComparison, ndcg: float) -> list[str]:
    """What clustering brought on top of the one encoder for all."""
    alone = value(split.overall.get("global"))
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
        for part in split.by_cluster.values()
        if (a := value(part.models.get("combiner"))) is not None
        and (b := value(part.models.get("global"))) is not None
    ]
    if len(pairs) > 1:
        # Differences that no table shows (four decimals) do not count as better or worse.
        ahead = sum(a - b >= 0.00005 for a, b in pairs)
        behind = sum(b - a >= 0.00005 for a, b in pairs)
        said.append(
            f"The combiner is better than the global encoder in {ahead} of {len(pairs)} clusters"
            f" and worse in {behind}."
        )
    return said
