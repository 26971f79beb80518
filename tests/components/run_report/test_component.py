"""RunReport as a TFX node: its inputs, and what its executor reads from artifacts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tfx import types
from tfx.types import standard_artifacts

from components.artifacts import (
    ClusterEvaluation,
    DataQuality,
    ItemCatalogue,
    ModelComparison,
    Report,
)
from components.gates.config import GatesConfig
from components.gates.push_record import PushRecord
from components.infra_validator.record import InfraRecord
from components.run_report.component import RunReport
from components.run_report.executor import Executor
from tests.helpers.invented_run.folders import write_run

CHANNELS = {
    "data_quality": DataQuality,
    "encoder_run": standard_artifacts.ModelRun,
    "cluster_evaluation": ClusterEvaluation,
    "comparison": ModelComparison,
    "evaluation": standard_artifacts.ModelEvaluation,
    "blessing": standard_artifacts.ModelBlessing,
    "baseline": standard_artifacts.Model,
}


PROPERTIES = {"run_name": "Shop", "gates_config": GatesConfig().to_json()}


def node(specialists: int, **others) -> RunReport:
    return RunReport(
        **{name: types.Channel(type=kind) for name, kind in CHANNELS.items()},
        specialist_runs=[types.Channel(type=standard_artifacts.ModelRun)] * specialists,
        gates=GatesConfig(),
        run_name="a run",
        **others,
    )


def artifact(kind: type[types.Artifact], uri: str) -> types.Artifact:
    made = kind()
    made.uri = uri
    return made


def test_inputs_of_the_node():
    report = node(2, provenance={"b": 1, "a": [2]}, code_version="c0de")
    assert set(report.inputs) == {*CHANNELS, "specialist_run_0", "specialist_run_1"}
    assert report.exec_properties["provenance"] == '{"a": [2], "b": 1}'
    assert report.exec_properties["code_version"] == "c0de"
    assert report.outputs["report"].type is Report
    assert report.id == "RunReport"


def test_optional_inputs_of_the_node():
    report = node(0, items=types.Channel(type=ItemCatalogue))
    assert set(report.inputs) == {*CHANNELS, "items"}


def test_too_many_specialists():
    with pytest.raises(ValueError, match="65 specialist runs given, RunReport takes 64"):
        node(65)


@pytest.mark.parametrize("pushed", [True, False])
def test_executor(tmp_path, pushed):
    folders = write_run(tmp_path / "run", clusters=11)
    inputs = {
        name: [artifact(kind, getattr(folders, name) or str(tmp_path / "missing"))]
        for name, kind in CHANNELS.items()
    }
    inputs["items"] = [artifact(ItemCatalogue, folders.items)]
    for k in reversed(range(11)):
        run = artifact(standard_artifacts.ModelRun, folders.specialist_runs[k])
        inputs[f"specialist_run_{k}"] = [run]
    if pushed:
        model = artifact(standard_artifacts.PushedModel, str(tmp_path / "pushed"))
        PushRecord("17", "out/serving/17").write(model.uri)
        inputs["pushed_model"] = [model]
    report = artifact(Report, str(tmp_path / "report"))
    Executor().Do(inputs, {"report": [report]}, {**PROPERTIES, "provenance": '{"tfx": "1.16.0"}'})
    page = (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
    figures = json.loads(Path(tmp_path / "report" / "metrics.json").read_text(encoding="utf-8"))
    assert "Shop" in page
    assert [run["name"] for run in figures["specialists"]] == [f"cluster_{k}" for k in range(11)]
    push = figures["verdict"]["push"]
    assert (push["version"] == "17") if pushed else push is None
    assert figures["provenance"] == {"tfx": "1.16.0"}


def test_a_model_that_cannot_be_served_is_refused_whatever_the_gates_say(tmp_path):
    folders = write_run(tmp_path / "run")
    blessing = artifact(standard_artifacts.InfraBlessing, str(tmp_path / "infra"))
    inputs = {
        name: [artifact(kind, getattr(folders, name) or str(tmp_path / "missing"))]
        for name, kind in CHANNELS.items()
    }
    inputs["infra_blessing"] = [blessing]
    outcomes = []
    for fault in ("it has an <odd> op", ""):
        (tmp_path / "infra").mkdir(exist_ok=True)
        InfraRecord("stand-in model server", 7, fault).write(blessing.uri)
        report = artifact(Report, str(tmp_path / "report"))
        Executor().Do(inputs, {"report": [report]}, PROPERTIES)
        figures = json.loads((tmp_path / "report" / "metrics.json").read_text(encoding="utf-8"))
        outcomes.append(figures["verdict"]["status"])
        page = (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
        shown = "The model cannot be served: it has an &lt;odd&gt; op." in page
        assert shown == bool(fault)
        assert ("Refused: the model cannot be served" in page) == bool(fault)
    assert outcomes == ["refused", "pushed"]
