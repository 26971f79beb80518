"""Gates in words: what was asked, what was measured, by how much it was missed."""

from __future__ import annotations

import dataclasses

from components.run_report import formats as fmt
from components.run_report.inputs import Gate

# TFMA has no "strictly better": a limit of 1e-10 stands for it.
_NOTHING = 1e-6
_SMALLEST_SHOWN = 0.00005


@dataclasses.dataclass(frozen=True)
class GateRow:
    """One line of the table."""

    rule: str
    slice: str
    candidate: str
    baseline: str
    change: str
    passed: bool
    decision: str


def gate_rows(gates: list[Gate]) -> list[GateRow]:
    """The table of gate decisions, in the order given."""
    return [
        GateRow(
            rule=rule(gate),
            slice=fmt.slice_name(gate.slice),
            candidate=fmt.metric(gate.candidate),
            baseline=fmt.metric(gate.baseline),
            change=_change(gate),
            passed=gate.passed,
            decision=_held(gate) if gate.passed else missed(gate),
        )
        for gate in gates
    ]


def rule(gate: Gate) -> str:
    """What the gate asks for: "NDCG@10 at most 5.0% below the baseline"."""
    name = fmt.metric_name(gate.metric)
    if gate.kind == "present":
        return "The slice has users"
    if not gate.kind.startswith("change"):
        return f"{name} {gate.kind.replace('_', ' ')} {fmt.metric(gate.limit)}"
    relative = gate.kind.endswith("_relative")
    size = fmt.percent(abs(gate.limit)) if relative else fmt.metric(abs(gate.limit))
    at_least = "at_least" in gate.kind
    beyond = ", unless chance explains it" if gate.chance is not None else ""
    if abs(gate.limit) < _NOTHING:
        if gate.limit > 0 and at_least:
            return f"{name} above the baseline{beyond}"
        return f"{name} no {'lower' if at_least else 'higher'} than the baseline{beyond}"
    side = "above" if gate.limit > 0 else "below"
    bound = "at least" if at_least == (gate.limit > 0) else "at most"
    return f"{name} {bound} {size} {side} the baseline{beyond}"


def _held(gate: Gate) -> str:
    """Passed, and whether only because chance explains the loss or there is nothing to gain."""
    if gate.kind.startswith("change") and gate.judged is None:
        # `RequiredGain` is infinite, which no figure on the page is.
        return "passed: every user's next item is ranked alike, nothing to gain"
    if gate.chance is None or gate.judged is None or gate.change is None or gate.judged:
        return "passed"
    if gate.change >= gate.limit:
        return "passed"
    if abs(gate.change) <= gate.chance:
        return f"passed: chance explains ±{fmt.metric(gate.chance)}"
    return "passed unjudged: too few users"


def missed(gate: Gate) -> str:
    """By how much a failed gate was missed, or why nothing could be compared."""
    if gate.kind == "present" or gate.judged is None:
        return gate.message or "not measured"
    shortfall = abs(gate.judged - gate.limit)
    if shortfall < _SMALLEST_SHOWN:
        return "missed by less than 0.0001"
    return f"missed by {_percent_or_metric(gate, shortfall)}"


def failure_sentence(gate: Gate) -> str:
    """A failed gate for the verdict: slice, measure, baseline, rule, shortfall."""
    if gate.kind == "present" or gate.judged is None:
        return f"{fmt.slice_name(gate.slice)}: {missed(gate)}. Required: {rule(gate)}."
    measured = f"{fmt.metric_name(gate.metric)} is {fmt.metric(gate.candidate)}"
    if gate.baseline is not None:
        measured += f" against {fmt.metric(gate.baseline)} for the baseline"
        if gate.change is not None and gate.baseline:
            measured += f" ({fmt.signed_percent(gate.change / gate.baseline)})"
    return f"{fmt.slice_name(gate.slice)}: {measured}. Required: {rule(gate)}."


def _percent_or_metric(gate: Gate, value: float) -> str:
    if gate.kind.endswith("_relative"):
        return f"{value * 100:.1f} percentage points"
    return fmt.metric(value)


def _change(gate: Gate) -> str:
    """Candidate minus baseline, and in per cent of the baseline."""
    change = gate.change
    if change is None and gate.candidate is not None and gate.baseline is not None:
        change = gate.candidate - gate.baseline
    if change is None:
        return fmt.MISSING
    text = fmt.signed_metric(change)
    return f"{text} ({fmt.signed_percent(change / gate.baseline)})" if gate.baseline else text
