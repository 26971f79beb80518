"""The terminal and the report page say the same about what became of the model."""

from __future__ import annotations

import dataclasses
import html
import io

import pytest

from components.gates.config import GatesConfig
from components.gates.push_record import PushRecord
from components.gates.verdict import read_verdict
from components.infra_validator.record import InfraRecord
from components.run_report.page import render
from components.run_report.sources import collect
from tests.helpers.invented_run.folders import write_run
from tests.helpers.invented_run.gates import write_evaluation
from tfx_pipeline.local.results import show_gates
from tfx_pipeline.terminal.console import Console

BETTER = {None: (0.12, 0.10, 0.01), 0: (0.12, 0.11, 0.01), 1: (0.12, 0.10, 0.01)}
WORSE_IN_CLUSTER_1 = {**BETTER, 1: (0.07, 0.10, 0.01)}
NEW = PushRecord("17", "serving/17")
FAULT = "an op is unknown to the server"


@dataclasses.dataclass(frozen=True)
class Case:
    """A run, what both must say of it, and what neither may say."""

    status: str
    title: str
    said: tuple[str, ...]
    unsaid: tuple[str, ...] = ()
    scores: dict = dataclasses.field(default_factory=lambda: BETTER)
    gates: GatesConfig = dataclasses.field(default_factory=GatesConfig)
    blessed: bool = True
    fault: str = ""
    push: PushRecord = NEW


PUSHED = "pushed as version 17"
REFUSED = "refused: nothing was pushed"
CASES = {
    "pushed": Case("pushed", "Pushed: every gate passed", (PUSHED,), (REFUSED,)),
    "warned": Case(
        "pushed",
        "Pushed: no gate was enforced",
        (PUSHED, "cluster 1: NDCG@10 0.0700 is 0.0300 below"),
        (REFUSED,),
        WORSE_IN_CLUSTER_1,
        GatesConfig(mode="warn"),
    ),
    "refused by a gate": Case(
        "refused",
        "Refused: 1 gate failed",
        (REFUSED, "cluster 1: NDCG@10 0.0700 is 0.0300 below"),
        (PUSHED,),
        WORSE_IN_CLUSTER_1,
        blessed=False,
        push=PushRecord(),
    ),
    "refused by InfraValidator": Case(
        "refused",
        "Refused: the model cannot be served",
        (REFUSED, f"the model cannot be served: {FAULT}"),
        (PUSHED,),
        fault=FAULT,
        push=PushRecord(),
    ),
    "rolled back before": Case(
        "rolled_back",
        "Not pushed: rolled back before",
        (
            "not pushed: it is version 17, which was rolled back",
            "`cohortrec serving promote DIR --version 17` brings it back",
        ),
        (PUSHED, REFUSED),
        push=PushRecord("17", withdrawn=True),
    ),
    "overtaken": Case(
        "overtaken",
        "Not pushed: something else is served now",
        (
            "not pushed: version 17 was served when the model was compared, and version 23 is",
            "run again",
        ),
        (PUSHED, REFUSED),
        push=PushRecord(overtaken=True, served_then="17", served_now="23"),
    ),
    "overtaken at the first push": Case(
        "overtaken",
        "Not pushed: something else is served now",
        ("no model was served when the model was compared, and version 23 is served now",),
        (PUSHED, REFUSED),
        push=PushRecord(overtaken=True, served_now="23"),
    ),
    "refused, and overtaken too": Case(
        "refused",
        "Refused: 1 gate failed",
        (REFUSED,),
        (PUSHED, "was served when"),
        WORSE_IN_CLUSTER_1,
        blessed=False,
        push=PushRecord(overtaken=True, served_then="17", served_now="23"),
    ),
    "already served": Case(
        "already_served",
        "Already served",
        ("the model is already served, nothing to push",),
        (PUSHED, REFUSED),
        push=PushRecord("17", "serving/17", served=True),
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_terminal_and_page_say_the_same(case, tmp_path):
    folders = write_run(tmp_path, clusters=2, blessed=case.blessed)
    InfraRecord("stand-in model server", 7, case.fault).write(folders.blessing)
    case.push.write(folders.pushed_model)
    evaluation = write_evaluation(tmp_path / "evaluation", case.scores, case.gates)
    folders = dataclasses.replace(folders, evaluation=evaluation, infra_blessing=folders.blessing)
    verdict = read_verdict(
        case.gates,
        evaluation=evaluation,
        blessing=folders.blessing,
        infra_blessing=folders.infra_blessing,
        pushed_model=folders.pushed_model,
        baseline=folders.baseline,
    )
    assert verdict.status == case.status
    terminal = io.StringIO()
    show_gates(verdict, tmp_path / "serving" / "17", Console(terminal))
    page = html.unescape(render(collect(folders, run_name="a run", gates=case.gates)))
    assert case.title in page
    for words in case.said:
        assert words in terminal.getvalue()
        assert words.lower() in page.lower()
    for words in case.unsaid:
        assert words not in terminal.getvalue()
        assert words.lower() not in page.lower()
