"""What became of the candidate model, from what the artifacts say."""

from __future__ import annotations

from components.run_report.inputs import Baseline, Gate, Verdict


def decide(
    gates: list[Gate],
    blessed: bool | None,
    candidate_id: str,
    baseline: Baseline | None,
    destination: str = "",
    version: str = "",
    unservable: str = "",
) -> Verdict:
    """The verdict shown on top of the page.

    Args:
        gates: every threshold of the Evaluator.
        blessed: the Evaluator's decision; None when it made none.
        candidate_id: content hash of the candidate ("" when unknown).
        baseline: what it was measured against.
        destination: where the Pusher put it ("" when the Pusher has not said).
        version: the version that the Pusher gave it.
        unservable: why no model server can serve it ("" when one can, or none was asked).
    """
    failed = [gate for gate in gates if not gate.passed]
    if unservable:
        return Verdict(outcome="refused", failed=failed, unservable=unservable)
    # Whatever the gates say: the Pusher pushes no model twice.
    if baseline is not None and candidate_id and candidate_id == baseline.model_id:
        return Verdict(outcome="already_served", version=baseline.version)
    if blessed:
        return Verdict(outcome="pushed", destination=destination, version=version)
    if blessed is None and not failed:
        return Verdict(outcome="not_judged")
    return Verdict(outcome="refused", failed=failed)
