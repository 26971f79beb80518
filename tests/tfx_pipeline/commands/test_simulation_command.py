"""`cohortrec simulate`: the files it leaves, and what it refuses."""

import argparse
import json

import polars as pl
import pytest

from tests.helpers.behavior_example_gen_runs import ingest
from tests.helpers.terminal import cohortrec
from tfx_pipeline.commands.simulate_options import add_options, given
from tfx_pipeline.simulation import SimulationConfig, simulate

SMALL = ("--users", 300, "--clusters", 3, "--categories", 6, "--items", 150, "--successors", 2)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("simulated") / "shop"
    answer = cohortrec("simulate", "--output", folder, *SMALL, "--drift", 0.1, "--sizes", "3,2,1")
    return folder, answer


def test_the_files_are_those_of_the_python_interface(written, tmp_path):
    folder, answer = written
    assert answer.code == 0, answer
    assert answer.err == ""
    config = SimulationConfig(
        users=300, clusters=3, categories=6, items=150, successors=2, drift=0.1, sizes=(3, 2, 1)
    )
    simulate(config).write(tmp_path)
    names = {"events.csv", "items.csv", "labels.csv", "truth.json"}
    assert {path.name for path in folder.iterdir()} == names
    for name in names:
        assert (folder / name).read_bytes() == (tmp_path / name).read_bytes()
        assert str(folder / name) in answer.out
    truth = json.loads((folder / "truth.json").read_text())
    assert SimulationConfig.from_dict(truth["settings"]) == config
    assert f"{truth['oracle']['cluster']['ndcg_at_10']:.4f}" in answer.out
    assert f"{truth['log']['events']:,} events of 300 users" in answer.out


def test_the_columns_of_the_files(written):
    folder, _ = written
    events = pl.read_csv(folder / "events.csv")
    assert events.columns == [
        "user_id", "item_id", "timestamp", "action", "session_id", "price", "quantity",
    ]  # fmt: skip
    assert events["timestamp"][0].endswith("Z")
    items = pl.read_csv(folder / "items.csv")
    assert items.columns == ["item_id", "title", "category", "price"]
    assert set(events["item_id"]) <= set(items["item_id"])
    labels = pl.read_csv(folder / "labels.csv")
    assert labels.columns == ["user_id", "label", "label_before", "label_after"]
    assert set(labels["user_id"]) == set(events["user_id"])


@pytest.mark.parametrize("split", ["temporal", "leave_one_out"])
def test_the_log_is_read_without_a_rejected_row(written, tmp_path, split):
    folder, _ = written
    events = pl.read_csv(folder / "events.csv")
    found = ingest(
        tmp_path, folder / "events.csv", folder / "items.csv", split=split, min_item_events=1
    )
    assert found.quarantine == []
    assert found.quality["dropped"].keys() <= {"rare_item", "rare_user", "late_user"}
    assert found.quality["bad_rows"] == 0
    assert found.quality["rows_read"] == events.height
    assert found.quality["events_kept"] > 0.99 * events.height
    assert all(found.quality["split"]["histories"][name] > 50 for name in ("validation", "test"))
    # Order alone is enough: a history is the user's events in the order of the file.
    user = found.splits["train"][0]["user_id"][0]
    own = events.filter(pl.col("user_id") == user)["item_id"].to_list()
    history = found.history("train", user)["item_ids"]
    assert history == own[: len(history)]


def test_nothing_is_overwritten(written):
    folder, _ = written
    before = (folder / "truth.json").read_bytes()
    answer = cohortrec("simulate", "--output", folder, *SMALL, "--seed", 2)
    assert answer.code == 2
    assert "is not empty" in answer.err
    assert "choose another --output" in answer.err
    assert (folder / "truth.json").read_bytes() == before
    answer = cohortrec("simulate", "--output", folder / "truth.json", *SMALL)
    assert answer.code == 2
    assert "it is a file" in answer.err


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["--clusters", 30], ["'categories'", "30 clusters need at least 30 categories"]),
        (["--sizes", "1,2"], ["'sizes'", "2 sizes for 4 clusters"]),
        (["--sizes", "big"], ["--sizes", "invalid sizes value: 'big'"]),
        (["--taste", 2], ["'taste'", "less than or equal to 1"]),
        (["--users", "many"], ["--users", "invalid int value: 'many'"]),
        (["--tatse", 1], ["--tatse"]),
    ],
)
def test_wrong_settings(arguments, parts, tmp_path):
    answer = cohortrec("simulate", "--output", tmp_path / "out", *arguments)
    assert answer.code == 2, answer
    for part in parts:
        assert part in answer.err
    assert "Traceback" not in answer.out + answer.err
    assert not (tmp_path / "out").exists()


def test_every_setting_has_an_option_that_tells_its_default():
    parser = argparse.ArgumentParser()
    add_options(parser)
    helps = {action.dest: action.help for action in parser._actions if action.dest != "help"}
    fields = SimulationConfig.model_fields
    assert helps.keys() == fields.keys()
    for name, field in fields.items():
        assert helps[name].endswith(f"(default {field.default})")


def test_sizes_on_the_command_line():
    parser = argparse.ArgumentParser()
    add_options(parser)
    for text, value in (("equal", 0.0), ("1.5", 1.5), ("3,2,1", (3.0, 2.0, 1.0))):
        assert given(parser.parse_args(["--sizes", text])) == {"sizes": value}
