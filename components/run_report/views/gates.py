"""The table of gate decisions."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from components.gates.decisions import OVERALL, GateDecision
from components.run_report import formats as fmt


@dataclasses.dataclass(frozen=True)
class GateRow:
    """One line of the table."""

    gate: str
    slice: str
    candidate: str
    baseline: str
    change: str
    rule: str
    passed: bool


def gate_rows(decisions: Sequence[GateDecision]) -> list[GateRow]:
    """The table of gate decisions, in the order given."""
    return [
        GateRow(
            gate=fmt.words(decision.gate),
            slice="All users" if decision.slice == OVERALL else fmt.words(decision.slice),
            candidate=_measure(decision, decision.candidate),
            baseline=_measure(decision, decision.baseline),
            change=_change(decision),
            rule=fmt.sentence(decision.rule),
            passed=decision.passed,
        )
        for decision in decisions
    ]


def _measure(decision: GateDecision, value: float | None) -> str:
    """Numbers of users are whole, metrics have four decimals."""
    return fmt.integer(value) if decision.gate == "users" else fmt.metric(value)


def _change(decision: GateDecision) -> str:
    """Candidate minus baseline, and in per cent of the baseline."""
    change = decision.change
    text = fmt.signed_metric(change)
    if change is None or not decision.baseline:
        return text
    return f"{text} ({fmt.signed_percent(change / decision.baseline)})"
