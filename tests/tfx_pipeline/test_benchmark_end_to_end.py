"""The benchmark on a tiny untidy file: its figures, recomputed from the model that it leaves."""

import json
import runpy
import sys

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.planted_sequences import SHORT, histories, write_sequences
from tests.helpers.repository import BENCHMARKS
from tests.helpers.terminal import cohortrec

pytestmark = pytest.mark.e2e

TINY = (
    *("run.max_clusters=2", "clustering.k=2", "combiner.steps=50"),
    *("encoder.width=16", "encoder.members=2", "encoder.layers=1"),
    "encoder.feedforward=32",
    *("training.epochs=1", "training.batch_size=32", "training.learning_rate=0.01"),
    *("specialists.epochs=1", "specialists.min_samples=50", "gates.min_ndcg_at_10=0.999"),
)


def _benchmark(folder, *arguments):
    return cohortrec(
        *("benchmark", "--sequences", folder / "sequences.txt", "--output", folder / "out"),
        *(part for setting in TINY for part in ("--set", setting)),
        *("--name", "Toys", *arguments),
    )


@pytest.fixture(scope="module")
def benchmark(tmp_path_factory):
    folder = tmp_path_factory.mktemp("benchmark")
    write_sequences(folder / "sequences.txt", histories())
    answer = _benchmark(folder, "--seed", "3")
    assert answer.code == 0, answer
    return folder, answer


def _results(folder):
    return json.loads((folder / "out" / "benchmark.json").read_text())


def _models(folder):
    return [path for path in (folder / "out" / "serving").iterdir() if path.name.isdecimal()]


def _recommended(folder, inputs):
    (path,) = _models(folder)
    model = tf.saved_model.load(str(path))
    length = max(map(len, inputs))
    padded = [items + [""] * (length - len(items)) for items in inputs]
    answer = model.signatures["recommend"](
        item_ids=tf.constant(padded),
        actions=tf.constant([["purchase" if item else "" for item in row] for row in padded]),
        timestamps=tf.constant([[9 * bool(item) for item in row] for row in padded], tf.int64),
    )
    return [[item.decode() for item in row] for row in answer["item_ids"].numpy()]


def test_the_model_left_behind_earns_the_figures_reported(benchmark):
    folder, _ = benchmark
    users = list(histories().values())
    inputs, targets = [items[:-1] for items in users], [items[-1] for items in users]
    lists = _recommended(folder, inputs)
    assert {len(found) for found in lists} == {20}
    assert all(not set(found) & set(items) for found, items in zip(lists, inputs, strict=True))
    places = [
        found.index(target) + 1 if target in found else np.inf
        for found, target in zip(lists, targets, strict=True)
    ]
    results = _results(folder)["splits"]["test"]
    assert results["users"] == len(users)
    combiner = {name: figure["mean"] for name, figure in results["models"]["combiner"].items()}
    for k in (5, 10, 20):
        gains = [1 / np.log2(place + 1) if place <= k else 0 for place in places]
        assert combiner[f"hr@{k}"] == pytest.approx(np.mean([place <= k for place in places]))
        assert combiner[f"ndcg@{k}"] == pytest.approx(np.mean(gains))
    assert 0 < combiner["hr@20"] < 1


def test_everything_printed_is_in_the_file(benchmark):
    folder, answer = benchmark
    results = _results(folder)
    for split in ("validation", "test"):
        for model in results["splits"][split]["models"].values():
            assert all(
                figure["low"] <= figure["mean"] <= figure["high"] for figure in model.values()
            )
    assert "scored once, after every choice was made on validation" in answer.out
    mean = results["splits"]["test"]["models"]["combiner"]["ndcg@20"]["mean"]
    assert f"{mean:.4f} ±" in answer.out
    assert results["published"]["BSARec"]["hr@5"] == 0.0805
    assert "BSARec" in answer.out
    assert (results["seed"], results["config"]["run"]["seed"]) == (3, 3)
    assert results["files"][0]["sha256"]
    assert results["versions"]["tensorflow"]
    assert results["derived"]["exclude_seen"]["value"] is True
    assert results["data"]["users"] == len(histories()) + len(set(SHORT) - {"one"})
    stages = {stage["node"]: stage for stage in results["stages"]}
    assert stages["Trainer.encoder"]["seconds"] > 0
    assert 1e8 < stages["Trainer.encoder"]["peak_bytes"] <= results["peak_bytes"]
    assert sum(stage["seconds"] for stage in stages.values()) < results["seconds"]


def test_failed_gates_only_warn(benchmark):
    _, answer = benchmark
    (line,) = [line for line in answer.out.splitlines() if "floor" in line]
    assert line.split()[0] == "WARNING"
    assert "gates.min_ndcg_at_10" in line


def test_the_second_run_says_the_same_from_the_cache(benchmark):
    folder, first = benchmark
    before, models = _results(folder), _models(folder)
    again = _benchmark(folder, "--seed", "3")
    assert again.code == 0, again

    def tables(answer):
        shown = answer.out.split("\nBenchmark on ")[1]
        head, costs = shown.split("\nCost of each stage")
        return head, costs.split("\nGates")[1]

    assert tables(again) == tables(first)
    assert _models(folder) == models
    after = _results(folder)
    assert after["splits"] == before["splits"]
    assert after["gates"] == before["gates"]
    trainer = next(stage for stage in after["stages"] if stage["node"] == "Trainer.encoder")
    assert trainer["state"] == "cached"
    assert trainer["when_it_ran"]["peak_bytes"] > 1e8


def test_ablation_trains_what_the_pipeline_trained(benchmark, tmp_path, monkeypatch, capsys):
    folder, _ = benchmark
    script = BENCHMARKS / "ablation.py"
    output = tmp_path / "ablation.json"
    command = [script, folder / "out", "--output", output, "--seeds", "3", "--only", "recipe"]
    # In this process, where the libraries are imported already. The second goes on after the first.
    for further in ([], ["one member"]):
        monkeypatch.setattr(sys, "argv", [str(part) for part in (*command, *further)])
        runpy.run_path(str(script), run_name="__main__")
    shown = capsys.readouterr().out
    named = [line[:12].rstrip() for line in shown.splitlines()]
    assert named == ["recipe", "recipe", "one member"]
    recipe, one_member = json.loads(output.read_text())
    models = _results(folder)["splits"]["validation"]["models"]
    trained = models.get("encoder", models["global"])  # an ablation has no item transitions
    for metric in ("ndcg@10", "hr@10"):
        assert recipe[metric] == pytest.approx(trained[metric]["mean"], abs=1e-9)
        assert one_member[metric] != recipe[metric]
