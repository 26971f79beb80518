"""What the Evaluator found and decided, in words: one decision a gate."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Literal

from components.baseline_model.record import BaselineRecord
from components.gates.config import GatesConfig
from components.gates.eval_config import (
    ASKED,
    BEYOND_ASKED,
    FREE_VALUE,
    JUDGED_BY,
    LEAD_OVER_FREE,
    LOSS_P_VALUE,
    STRICTLY,
    error_rate,
)
from components.gates.slice_metrics import OVERALL, SliceMetrics, other_failures, read_metrics
from components.infra_validator.record import InfraRecord
from trainer.evaluation.chance import holm
from trainer.raw_history import CLUSTER_ID, NOISE

USERS = "users"
_SAME = 1e-9
"""A smaller change is none. One user's rank changes the NDCG of ten million users by more."""


@dataclasses.dataclass(frozen=True)
class GateDecision:
    """One gate on one slice.

    Attributes:
        gate: "users", "floor", "free", "change" or "cluster" (see `eval_config`), "served"
            for the InfraValidator's, or "evaluation" for a failure that the Evaluator reports and
            none of these accounts for.
        slice: "overall", "cluster 3", or "no cluster" for the users who belong to none.
        metric: name of the metric judged.
        candidate: its value for the new model; None if it was not measured.
        baseline: its value for the baseline; None if the gate needs none.
        threshold: what is allowed: least value; least change, for "change" as a share of the
            baseline.
        passed: whether the gate lets the model through.
        rule: what was asked for, or why nothing was, with the setting that says so.
        sentence: all of this for people.
    """

    gate: Literal["users", "floor", "free", "change", "cluster", "served", "evaluation"]
    slice: str
    metric: str
    candidate: float | None
    baseline: float | None
    threshold: float | None
    passed: bool
    rule: str
    sentence: str

    @property
    def change(self) -> float | None:
        """Candidate minus baseline; None if the gate compares nothing."""
        if self.candidate is None or self.baseline is None:
            return None
        return self.candidate - self.baseline


def explain(
    evaluation_uri: str, gates: GatesConfig, baseline: BaselineRecord | None = None
) -> list[GateDecision]:
    """Why the Evaluator blessed the model or did not.

    In the mode "warn" the Evaluator was given no gates; the decisions are what it would have said.

    Args:
        evaluation_uri: of the ModelEvaluation artifact.
        gates: the settings that `build_eval_config` was given.
        baseline: what the model was compared with, to name it.

    Returns:
        A decision for the users, the floor, the best free baseline, the change and each cluster;
        failures of another kind, for example a slice that no example falls into, at the end.
    """
    metrics = read_metrics(evaluation_uri)
    named = _Baseline(baseline)
    decisions = []
    if OVERALL in metrics:
        decisions.append(_users(metrics[OVERALL], gates))
        decisions.append(_floor(metrics[OVERALL], gates))
        decisions.append(_free(metrics[OVERALL], gates))
        decisions.append(_change(metrics[OVERALL], gates, named))
    clusters = [metric for metric in metrics.values() if metric.feature == CLUSTER_ID]
    decisions += _clusters(sorted(clusters, key=_cluster_order), gates, named)
    if gates.mode == "enforce" and all(decision.passed for decision in decisions):
        decisions += [
            _without_figures("evaluation", False, sentence)
            for sentence in other_failures(evaluation_uri)
        ]
    return decisions


def served_decision(record: InfraRecord) -> GateDecision:
    """What the InfraValidator decided; it is enforced in every mode of the gates."""
    return _without_figures("served", record.passed, record.sentence)


def _without_figures(
    gate: Literal["served", "evaluation"], passed: bool, sentence: str
) -> GateDecision:
    return GateDecision(gate, OVERALL, "", None, None, None, passed, sentence, sentence)


class _Baseline:
    """Names the baseline's figure in a sentence."""

    def __init__(self, record: BaselineRecord | None):
        self._record = record

    def has(self, figure: float) -> str:
        if self._record is None:
            return f"the baseline's {figure:.4f}"
        if self._record.kind == "served":
            return f"the served model's {figure:.4f}"
        return f"the baseline's {figure:.4f} ({self._record.title})"


def _users(overall: SliceMetrics, gates: GatesConfig) -> GateDecision:
    users = int(overall.candidate[USERS])
    passed = users >= gates.min_test_users
    side = "at least" if passed else "fewer than"
    return GateDecision(
        gate="users",
        slice=OVERALL,
        metric=USERS,
        candidate=float(users),
        baseline=None,
        threshold=float(gates.min_test_users),
        passed=passed,
        rule=f"at least {gates.min_test_users:,} users (gates.min_test_users)",
        sentence=f"overall: {users:,} evaluated users are {side} {gates.min_test_users:,} "
        "(gates.min_test_users)",
    )


def _floor(overall: SliceMetrics, gates: GatesConfig) -> GateDecision:
    candidate = overall.candidate[JUDGED_BY]
    passed = candidate >= gates.min_ndcg_at_10
    side = "at least" if passed else "below"
    return GateDecision(
        gate="floor",
        slice=OVERALL,
        metric=JUDGED_BY,
        candidate=candidate,
        baseline=None,
        threshold=gates.min_ndcg_at_10,
        passed=passed,
        rule=f"at least {gates.min_ndcg_at_10:.4f} (gates.min_ndcg_at_10)",
        sentence=f"overall: NDCG@10 {candidate:.4f} is {side} the floor of "
        f"{gates.min_ndcg_at_10:.4f} (gates.min_ndcg_at_10)",
    )


def _free(overall: SliceMetrics, gates: GatesConfig) -> GateDecision:
    candidate, free = overall.candidate[JUDGED_BY], overall.change[FREE_VALUE]
    lead = overall.change[LEAD_OVER_FREE]
    rule = f"{_left_by_chance(lead, gates)}; it must be higher"
    compared = _compared(candidate, free, f"the best free baseline's {free:.4f}")
    return GateDecision(
        gate="free",
        slice=OVERALL,
        metric=JUDGED_BY,
        candidate=candidate,
        baseline=free,
        threshold=0.0,
        passed=lead >= STRICTLY,
        rule=rule,
        sentence=f"overall: {compared}; {rule}",
    )


def _change(overall: SliceMetrics, gates: GatesConfig, named: _Baseline) -> GateDecision:
    candidate, baseline = overall.candidate[JUDGED_BY], overall.baseline[JUDGED_BY]
    beyond, asked = overall.change[BEYOND_ASKED], overall.change[ASKED]
    if math.isinf(beyond):
        rule = "what every user took next is ranked alike, so that nothing more is asked for: only "
        rule += "what is served beside the ranking differs, such as the list length or titles"
    else:
        rule = f"{_left_by_chance(beyond + asked, gates)}; "
        rule += (
            f"it may be at most {-asked:.1%} lower (gates.max_loss)"
            if asked < 0
            else "it must be higher"
        )
    return GateDecision(
        gate="change",
        slice=OVERALL,
        metric=JUDGED_BY,
        candidate=candidate,
        baseline=baseline,
        threshold=asked,
        passed=beyond >= 0,
        rule=rule,
        sentence=f"overall: {_compared(candidate, baseline, named.has(baseline))}; {rule}",
    )


def _left_by_chance(least: float, gates: GatesConfig) -> str:
    """The lowest relative change that chance leaves, in words."""
    sure = f"with {gates.confidence:.0%} confidence it is"
    return (
        f"{sure} at most {-least:.1%} lower" if least < 0 else f"{sure} at least {least:.1%} higher"
    )


def _cluster_order(cluster: SliceMetrics) -> tuple[bool, int]:
    """By number, users of no cluster last."""
    return (int(cluster.value) == NOISE, int(cluster.value))


def _clusters(
    clusters: Sequence[SliceMetrics], gates: GatesConfig, named: _Baseline
) -> list[GateDecision]:
    """One decision each; all of them together err as seldom as one test alone (Holm)."""
    judged = [c for c in clusters if c.candidate[USERS] >= gates.min_cluster_users]
    corrected = holm([cluster.change[LOSS_P_VALUE] for cluster in judged])
    p_values = {c.value: p for c, p in zip(judged, corrected, strict=True)}
    return [
        _cluster(cluster, p_values.get(cluster.value), len(judged), gates, named)
        for cluster in clusters
    ]


def _cluster(
    cluster: SliceMetrics, p_value: float | None, judged: int, gates: GatesConfig, named: _Baseline
) -> GateDecision:
    candidate, baseline = cluster.candidate[JUDGED_BY], cluster.baseline[JUDGED_BY]
    users = int(cluster.candidate[USERS])
    loss = baseline - candidate
    passed = p_value is None or p_value > error_rate(gates)
    allowed = f"at most {gates.max_cluster_loss:.4f} is allowed (gates.max_cluster_loss)"
    among = f"among {judged} clusters" if judged > 1 else "in one cluster"
    if p_value is None:
        rule = f"not judged: {users} of {gates.min_cluster_users} users (gates.min_cluster_users)"
    elif loss <= 0:
        rule = "no loss"
    elif loss <= gates.max_cluster_loss:
        rule = allowed
    elif passed:
        rule = f"not counted: {allowed}, but chance explains more {among} (p = {p_value:.2g}, "
        rule += "gates.confidence)"
    else:
        rule = f"{allowed}, and chance does not explain more {among} (p = {p_value:.2g})"
    name = "no cluster" if cluster.value == str(NOISE) else f"cluster {cluster.value}"
    return GateDecision(
        gate="cluster",
        slice=name,
        metric=JUDGED_BY,
        candidate=candidate,
        baseline=baseline,
        threshold=-gates.max_cluster_loss,
        passed=passed,
        rule=rule,
        sentence=f"{name}: {_compared(candidate, baseline, named.has(baseline))}; {rule}",
    )


def _compared(candidate: float, baseline: float, whose: str) -> str:
    change = candidate - baseline
    if abs(change) < _SAME:
        return f"NDCG@10 {candidate:.4f} is the same as {whose}"
    side = "above" if change > 0 else "below"
    return f"NDCG@10 {candidate:.4f} is {abs(change):.4f} {side} {whose}"
