"""`cohortrec benchmark --events`: settings, the runs of each order, their common account."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.terminal import cohortrec
from tfx_pipeline.benchmark import benchmark, draws
from tfx_pipeline.benchmark.draw_summary import spread, summarize
from tfx_pipeline.benchmark.draw_tables import show_draws, show_log
from tfx_pipeline.local.run_directory import RunDirectory
from tfx_pipeline.settings.run_config import RunConfig, load_config
from tfx_pipeline.terminal.console import Console
from trainer.settings import ConfigError

METRICS = ("ndcg@10", "hr@10")
LOG = "user,item,day\n" + "".join(
    f"u{user},i{item},2014-07-{1 + item // 2:02d}\n" for user in range(9) for item in range(6)
)
COLUMNS = "data.columns={user_id: user, item_id: item, timestamp: day}"


def _figure(mean: float) -> dict[str, float]:
    return {"mean": mean, "low": mean - 0.01, "high": mean + 0.02}


def _result(**means: float) -> dict[str, Any]:
    """What a run returns, with equal figures for all metrics."""
    models = {name: dict.fromkeys(METRICS, _figure(mean)) for name, mean in means.items()}
    if "encoder" in means:
        change = means["global"] - means["encoder"]
        models["global - encoder"] = dict.fromkeys(METRICS, _figure(change))
    return {"splits": {"test": {"models": models}, "validation": {"models": {}}}}


@pytest.fixture(name="runs")
def _runs() -> dict[str, Any]:
    return {
        "file": _result(popularity=0.1, encoder=0.4, **{"global": 0.5}, combiner=0.6),
        "1": _result(popularity=0.2, encoder=0.2, **{"global": 0.3}, combiner=0.3),
        # No weight for item transitions.
        "2": _result(popularity=0.2, **{"global": 0.4}, combiner=0.5),
        "3": _result(popularity=0.2, encoder=0.4, **{"global": 0.3}, combiner=0.7),
    }


def test_the_spread_of_the_draws() -> None:
    assert spread([3.0, 1.0, 5.0]) == {
        "mean": 3.0,
        "low": 1.0,
        "high": 5.0,
        "values": [3.0, 1.0, 5.0],
    }


def test_the_summary_has_the_file_beside_mean_and_spread(runs: dict[str, Any]) -> None:
    found = summarize(runs)
    assert list(found["models"]) == ["popularity", "encoder", "global", "combiner"]
    combiner = found["models"]["combiner"]["ndcg@10"]
    assert combiner["file"] == 0.6
    assert combiner["drawn"] == spread([0.3, 0.5, 0.7])
    assert combiner["drawn"]["mean"] == pytest.approx(0.5)
    # Without a weight for transitions, the encoder without them is the same model.
    assert found["models"]["encoder"]["hr@10"]["drawn"]["values"] == [0.2, 0.4, 0.4]


def test_what_item_transitions_are_worth(runs: dict[str, Any]) -> None:
    found = summarize(runs)
    worth = found["transitions"]["ndcg@10"]
    assert worth["times"]["file"] == pytest.approx(1.25)
    assert worth["times"]["drawn"]["values"] == pytest.approx([1.5, 1.0, 0.75])
    assert worth["difference"]["file"] == pytest.approx(0.1)
    assert worth["difference"]["drawn"]["mean"] == pytest.approx(0.0)
    assert worth["difference"]["drawn"]["low"] == pytest.approx(-0.1)
    assert found["interval"]["ndcg@10"] == pytest.approx((0.09, 0.12))
    del runs["file"]["splits"]["test"]["models"]["encoder"]
    del runs["file"]["splits"]["test"]["models"]["global - encoder"]
    found = summarize(runs)
    assert found["transitions"]["ndcg@10"]["times"]["file"] == 1.0
    assert found["interval"] is None


def test_without_any_hit_nothing_is_divided() -> None:
    nothing = _result(encoder=0.0, **{"global": 0.0})
    found = summarize({"file": nothing, "1": nothing})
    assert found["transitions"]["hr@10"]["times"]["file"] == 1.0


def test_the_tables_fit_a_terminal(runs: dict[str, Any]) -> None:
    stream = io.StringIO()
    console = Console(stream)
    log = {
        "test_targets": {"users": 19_124, "tied": 9_390, "share": 0.491},
        "tie_order": {"neighbours": 12_345, "ascending": {"item_id": 0.9999, "title": 0.5}},
        "dropped": {"duplicate": 12},
    }
    show_log(log, console)
    runs["file"]["splits"]["test"]["models"]["item_transitions"] = dict.fromkeys(
        METRICS, _figure(0.0)
    )
    for run in runs.values():
        run["splits"]["test"]["models"].setdefault(
            "item_transitions", dict.fromkeys(METRICS, _figure(0.5))
        )
    show_draws(summarize(runs), 3, console)
    lines = [line.rstrip() for line in stream.getvalue().splitlines()]
    assert max(map(len, lines)) <= 100
    assert "9,390 of 19,124 test targets (49.1%) have the time of the item before them." in lines
    assert [line.split() for line in lines if line.startswith("combiner ")] == [
        ["combiner", "0.6000", "0.5000", "0.3000", "0.7000", "0.833"]
    ] * len(METRICS)
    assert any("in the file's order by 1.250 (+.1000 [+.0900, +.1200]);" in line for line in lines)
    assert any("lowest 0.750, highest 1.500." in line for line in lines)


def test_the_settings_are_the_protocol_and_how_the_log_is_read() -> None:
    reading = ["data.separator=;", "data.timestamp_format=%d.%m.%Y", "data.cancellation.prefix=X"]
    config = draws.compose_log(["log.csv"], "items.csv", 7, [COLUMNS, *reading])
    assert (config.run.events, config.run.items) == (("log.csv",), ("items.csv",))
    assert (config.run.seed, config.data.seed) == (7, 7)
    assert (config.data.format, config.data.tie_order) == ("auto", "log")
    assert config.data.separator == ";"
    # None of it reaches the sequence files or the items file.
    preset = load_config(["benchmark"]).data
    assert draws.sequence_data(config) == preset.model_copy(update={"seed": 7})


@pytest.mark.parametrize(
    "override",
    [
        *("data.drop_items=[a]", "data.min_item_events=5", "data.max_events_per_user_per_day=9"),
        *("data.split=temporal", "data.tie_order=drawn", "data.items_columns={item_id: asin}"),
        *("serving.top_k=10", "gates.mode=enforce"),
    ],
)
def test_leaving_the_protocol_is_refused(override: str) -> None:
    with pytest.raises(ConfigError, match=f"^{override.split('=')[0]} must be .* in a benchmark"):
        draws.compose_log(["log.csv"], None, None, [override])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "one of the arguments --sequences --events is required"),
        (["--sequences", "{log}", "--events", "{log}"], "not allowed with argument"),
        (["--sequences", "{sequences}", "--draws", "2"], "--draws is for --events"),
        (["--events", "{log}", "--draws", "0"], "--draws: must be a whole number from 1 up"),
        (["--events", "{sequences}"], "give it with --sequences"),
        (["--events", "{log}"], "day"),
        (["--events", "{log}x"], "did you mean"),
        (["--events", "{log}", "--set", COLUMNS, "--items", "{sequences}"], "items file"),
    ],
)
def test_wrong_use_is_explained(arguments: list[str], message: str, tmp_path: Path) -> None:
    log, sequences = tmp_path / "log.csv", tmp_path / "sequences.txt"
    log.write_text(LOG)
    sequences.write_text("u a b c\nv a b\n")
    given = [part.replace("{log}", str(log)).replace("{sequences}", str(sequences))
             for part in arguments]  # fmt: skip
    answer = cohortrec("benchmark", "--output", tmp_path / "out", *given)
    assert answer.code == 2, answer
    assert message in answer.err, answer.err
    assert "Traceback" not in answer.err
    assert not (tmp_path / "out").exists()


def _record_runs(monkeypatch: pytest.MonkeyPatch, fails: str = "") -> list[Any]:
    """Puts a stand-in for the run of the pipeline; returns the list of what it was given."""
    asked: list[Any] = []

    def run(config: RunConfig, data_set: str, directory: RunDirectory, console: Console) -> Any:
        if directory.root.name == fails:
            raise ConfigError("no room")
        asked.append((config, data_set, directory.root))
        return _result(encoder=0.1 * len(asked), **{"global": 0.5})

    monkeypatch.setattr(benchmark, "run_benchmark", run)
    return asked


@pytest.mark.slow
def test_every_order_is_a_benchmark_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = _record_runs(monkeypatch)
    (tmp_path / "log.csv").write_text(LOG)
    command = ("benchmark", "--events", tmp_path / "log.csv", "--output", tmp_path / "out")
    command += ("--set", COLUMNS, "--set", "encoder.members=1", "--draws", "2", "--name", "toys")
    answer = cohortrec(*command, "--seed", "5")
    assert answer.code == 0, answer
    folders = [tmp_path / "out" / "draws" / name for name in ("file", "1", "2")]
    assert [(name, root) for _, name, root in asked] == [("toys", root) for root in folders]
    preset = load_config(["benchmark"]).data
    for config, _, root in asked:
        assert config.run.events == (str(root / "sequences.txt"),)
        assert config.data == preset.model_copy(update={"seed": 5})
        assert (config.run.seed, config.encoder.members) == (5, 1)
    texts = [(root / "sequences.txt").read_text() for root in folders]
    assert texts[0].startswith("u0 i0 i1 i2 i3 i4 i5\nu1 ")
    assert len(set(texts)) == 3
    content = json.loads((tmp_path / "out" / "benchmark.json").read_text())
    assert content["log"]["test_targets"] == {"users": 9, "tied": 9, "share": 1.0}
    assert content["log"]["tie_order"]["ascending"] == {"item_id": 1.0}
    assert content["log"]["times_are_days"] is True
    assert content["models"]["encoder"]["ndcg@10"]["drawn"]["values"] == pytest.approx([0.2, 0.3])
    assert content["runs"]["2"] == "draws/2/benchmark.json"
    assert "9 of 9 test targets (100.0%)" in answer.out
    assert "Draw 2 of 2" in answer.out
    # The same orders again: what was finished comes from the cache of each run directory.
    assert cohortrec(*command, "--seed", "5").code == 0
    assert [(root / "sequences.txt").read_text() for root in folders] == texts


@pytest.mark.slow
def test_the_first_order_that_fails_ends_the_benchmark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = _record_runs(monkeypatch, fails="1")
    (tmp_path / "log.csv").write_text(LOG)
    answer = cohortrec(
        *("benchmark", "--events", tmp_path / "log.csv", "--output", tmp_path / "out"),
        *("--set", COLUMNS),
    )
    assert answer.code == 2
    assert "cohortrec: no room" in answer.err
    assert answer.out.rstrip().splitlines()[-1].startswith("Draw 1 of 3, in ")
    assert len(asked) == 1
    assert not (tmp_path / "out" / "benchmark.json").exists()
