"""What bad input gets: a message that names the fault, exit code 2, and never a traceback."""

import pytest

from tests.helpers.planted_shop import write_events
from tests.helpers.terminal import cohortrec


def _assert_refused(answer, *parts):
    assert answer.code == 2, answer
    for part in parts:
        assert part in answer.err
    assert "Traceback" not in answer.out + answer.err


@pytest.fixture
def events(tmp_path):
    return write_events(tmp_path / "events.csv", users=20)


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["--set", "encoder.widht=32"], ["'encoder.widht'", "did you mean 'encoder.width'"]),
        (["--set", "encoder.width=wide"], ["'encoder.width'", "got 'wide'"]),
        (["--preset", "onlin_retail"], ["did you mean 'online_retail'"]),
        (["--config", "none.yaml"], ["'none.yaml' does not exist"]),
        (["--items", "none.csv"], ["items: no file 'none.csv'"]),
        (["--set", "clustering.labels=none.csv"], ["clustering.labels: no file 'none.csv'"]),
        (["--set", "clustering.k=9"], ["clustering.k", "max_clusters"]),
    ],
)
def test_wrong_settings(arguments, parts, events, tmp_path):
    output = tmp_path / "out"
    answer = cohortrec("run", "--events", events, "--output", output, *arguments)
    _assert_refused(answer, *parts)
    assert not output.exists()


def test_missing_events(tmp_path):
    answer = cohortrec("run", "--events", tmp_path / "event.csv", "--output", tmp_path / "out")
    _assert_refused(answer, "events: no file")
    _assert_refused(cohortrec("run", "--output", tmp_path / "out"), "no event files given")


def test_unknown_options_and_commands(tmp_path):
    _assert_refused(cohortrec("run", "--output", tmp_path, "--evnets", "x"), "--evnets")
    _assert_refused(cohortrec("train"), "invalid choice: 'train'")
    _assert_refused(cohortrec("recommend", "--model", "x", "--history", "", "--k", "0"), "--k")


def test_a_folder_without_a_model_or_run(tmp_path):
    answer = cohortrec("recommend", "--model", tmp_path, "--history", "1")
    _assert_refused(answer, "no model at", "it holds no SavedModel")
    _assert_refused(cohortrec("report", tmp_path), "is no run directory")


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ([], ["--model", "--server"]),
        (["--model", "x", "--server", "http://localhost:1"], ["not allowed with"]),
        (["--model", "x", "--label", "canary"], ["--label goes with --server"]),
        (["--server", "http://localhost:1"], ["--server needs --name"]),
        (["--server", "localhost:8501", "--name", "shop"], ["http://host:8501"]),
    ],
)
def test_where_to_ask_must_be_clear(arguments, parts):
    _assert_refused(cohortrec("recommend", "--history", "1", *arguments), *parts)


def test_help_needs_no_tensorflow():
    answer = cohortrec("--help")
    assert answer.code == 0
    assert "exit codes" in answer.out
