"""What became of the candidate model: the one rule, for the terminal and for the report page."""

from __future__ import annotations

import dataclasses
from typing import Literal

from tfx.dsl.io import fileio

from components.baseline_model.record import BaselineRecord
from components.gates.config import GatesConfig
from components.gates.decisions import GateDecision, explain, served_decision
from components.gates.push_record import PushRecord
from components.infra_validator.record import InfraRecord

Status = Literal["pushed", "already_served", "rolled_back", "overtaken", "refused", "not_judged"]

_BLESSED = "BLESSED"
_NOT_BLESSED = "NOT_BLESSED"


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What came of the candidate, and why.

    Attributes:
        status: what became of it; "not_judged" where the Evaluator made no decision.
        decisions: what each gate said; empty where nothing was evaluated.
        enforced: whether a gate that failed keeps the model out, or only warns.
        baseline: what the candidate was compared with.
        push: what the Pusher found and did; None where it did not say.
    """

    status: Status
    decisions: tuple[GateDecision, ...] = ()
    enforced: bool = True
    baseline: BaselineRecord | None = None
    push: PushRecord | None = None

    @property
    def failed(self) -> list[GateDecision]:
        """The gates that did not let the model through."""
        return [decision for decision in self.decisions if not decision.passed]

    @property
    def version(self) -> str:
        """The version that the candidate has in the push destination; "" where it has none."""
        return self.push.version if self.push else ""

    @property
    def against(self) -> str:
        """What the candidate was compared with."""
        return self.baseline.title if self.baseline else "the baseline"

    @property
    def sentence(self) -> str:
        """The outcome for people."""
        if self.status == "pushed":
            return f"pushed as version {self.version}" if self.version else "pushed"
        if self.status == "already_served":
            return "the model is already served, nothing to push"
        if self.status == "rolled_back":
            return (
                f"not pushed: it is version {self.version}, which was rolled back; "
                f"`cohortrec serving promote DIR --version {self.version}` brings it back"
            )
        if self.status == "overtaken" and self.push is not None:
            return _overtaken(self.push)
        if self.status == "refused":
            return "refused: nothing was pushed"
        return "not judged: the Evaluator made no decision, so nothing was pushed or refused"


def read_verdict(
    gates: GatesConfig,
    *,
    evaluation: str | None,
    blessing: str | None,
    infra_blessing: str | None,
    pushed_model: str | None,
    baseline: str | None,
) -> Verdict:
    """The verdict of a run, from its artifacts.

    Args:
        gates: the settings that the Evaluator was given.
        evaluation: folder of the ModelEvaluation; None or missing where there is none.
        blessing: of the Evaluator's ModelBlessing.
        infra_blessing: of the InfraBlessing, where the pipeline has an InfraValidator.
        pushed_model: of the PushedModel.
        baseline: of the BaselineModel's Model.
    """
    against = BaselineRecord.find(baseline) if baseline else None
    infra = InfraRecord.find(infra_blessing) if infra_blessing else None
    push = PushRecord.find(pushed_model) if pushed_model else None
    decisions: list[GateDecision] = []
    if evaluation and fileio.exists(evaluation):
        decisions = explain(evaluation, gates, against)
    if infra is not None:
        decisions.append(served_decision(infra))
    return Verdict(
        decide(_blessed(blessing), infra, push),
        tuple(decisions),
        gates.mode == "enforce",
        against,
        push,
    )


def decide(blessed: bool | None, infra: InfraRecord | None, push: PushRecord | None) -> Status:
    """What became of the candidate.

    Args:
        blessed: the Evaluator's decision; None when it made none.
        infra: the InfraValidator's, which is enforced whatever the mode of the gates.
        push: what the Pusher found and did.
    """
    if infra is not None and not infra.passed:
        return "refused"
    # Whatever the gates say: nothing is better than itself, and no model is pushed twice.
    if push is not None and push.served:
        return "already_served"
    if blessed is None:
        return "not_judged"
    if not blessed:
        return "refused"
    if push is not None and push.withdrawn:
        return "rolled_back"
    return "overtaken" if push is not None and push.overtaken else "pushed"


def _overtaken(push: PushRecord) -> str:
    then = f"version {push.served_then}" if push.served_then else "no model"
    now = f"version {push.served_now}" if push.served_now else "none"
    return (
        f"not pushed: {then} was served when the model was compared, and {now} is served now, "
        "after a push, a promotion or a rollback in between; run again, so that the model is "
        "compared with what is served"
    )


def _blessed(folder: str | None) -> bool | None:
    """The Evaluator's decision from the marker file that it leaves."""
    if folder and fileio.exists(f"{folder}/{_BLESSED}"):
        return True
    return False if folder and fileio.exists(f"{folder}/{_NOT_BLESSED}") else None
