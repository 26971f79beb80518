"""`cohortrec serving`, as a user sees it."""

import yaml

from tests.helpers.pushed_versions import visible, write_model, write_versions
from tests.helpers.terminal import cohortrec
from tfx_pipeline.serving.served import find_model


def _listed(run):
    answer = cohortrec("serving", "list", run)
    assert answer.code == 0, answer
    return {line.split()[0]: line for line in answer.out.splitlines()[1:]}


def test_list_promote_and_roll_back(tmp_path):
    root = tmp_path / "serving"
    write_versions(root, 1, 2)
    write_model(root / "3", "m3", metrics={"ndcg@10": 0.15791, "users": 9})
    lines = _listed(tmp_path)
    assert list(lines) == ["3", "2", "1"]
    assert "stable, canary" in lines["3"]
    assert "0.1579" in lines["3"]
    assert "m3" in lines["3"]
    assert "stable" not in lines["2"]
    assert "–" in lines["2"]

    answer = cohortrec("serving", "rollback", tmp_path, "--grace", "0")
    assert (answer.code, answer.out) == (0, "Version 2 is stable; before it was version 3.\n")
    assert visible(root) == [1, 2]
    assert find_model(tmp_path) == root / "2"
    lines = _listed(root)
    assert "withdrawn" in lines["3"]
    assert "stable, canary" in lines["2"]

    answer = cohortrec("serving", "promote", tmp_path)
    assert answer.out == "Version 2 is stable already.\n"
    answer = cohortrec("serving", "promote", tmp_path, "--version", "3")
    assert answer.out == "Version 3 is stable; before it was version 2.\n"
    answer = cohortrec("serving", "rollback", tmp_path, "--version", "1", "--grace", "1")
    assert "leaves servers' sight in 1 s" in answer.out
    assert visible(root) == [1]


def test_mistakes_are_explained(tmp_path):
    answer = cohortrec("serving", "list", tmp_path)
    assert answer.code == 2
    assert "no model was pushed there" in answer.err
    answer = cohortrec("serving", "promote", tmp_path / "none")
    assert answer.code == 2
    assert "there is no such folder" in answer.err
    write_versions(tmp_path / "serving", 1)
    answer = cohortrec("serving", "rollback", tmp_path)
    assert answer.code == 2
    assert "no version was stable before 1" in answer.err
    answer = cohortrec("serving", "promote", tmp_path, "--version", "x")
    assert answer.code == 2
    assert "whole number" in answer.err
    (tmp_path / "serving" / "models.config").write_text("nonsense")
    answer = cohortrec("serving", "list", tmp_path)
    assert answer.code == 2
    assert "is not a model server config" in answer.err
    assert "Traceback" not in answer.err


def test_manifests_take_the_settings_of_the_push_and_overrides(tmp_path):
    write_versions(tmp_path / "serving", 1, 2)
    given = ["--set", "deployment.model_name=shop", "--set", "deployment.kubernetes.replicas=4"]
    answer = cohortrec("serving", "manifests", tmp_path, "--output", tmp_path / "k8s", *given)
    assert answer.code == 0, answer
    assert str(tmp_path / "k8s" / "deployment.yaml") in answer.out
    manifest = yaml.safe_load((tmp_path / "k8s" / "deployment.yaml").read_text())
    assert manifest["metadata"]["name"] == "shop"
    assert manifest["spec"]["replicas"] == 4
    answer = cohortrec("serving", "manifests", tmp_path, "--output", "x", "--set", "deployment.a=1")
    assert answer.code == 2
    assert "'deployment.a'" in answer.err
