"""The parts of `cohortrec benchmark`: settings, figures, published rows, tables."""

import contextlib
import io
import os
import pty
import re

import numpy as np
import polars as pl
import pytest
import tensorflow as tf

from components.behavior_example_gen.config import DataConfig
from tests.helpers.terminal import cohortrec
from tfx_pipeline.benchmark.benchmark import _with_earlier_cost, compose, data_set_name
from tfx_pipeline.benchmark.figures import MODELS, split_figures, targets_in_history
from tfx_pipeline.benchmark.protocol import check_protocol
from tfx_pipeline.benchmark.published import published_rows
from tfx_pipeline.benchmark.tables import (
    show_published,
    show_split,
    show_stages,
    with_half_width,
    with_interval,
)
from tfx_pipeline.local.resources import StageUsage
from tfx_pipeline.settings.run_config import load_config
from tfx_pipeline.terminal.console import Console
from trainer.settings import ConfigError


@pytest.fixture(scope="module")
def figures():
    chance = np.random.default_rng(0)
    ranks = {model: chance.integers(1, 60, 200) for model in MODELS}
    ranks["combiner"] = np.maximum(ranks["global"] - 2, 1)
    return split_figures(pl.DataFrame(ranks)) | {"targets_in_history": 0}, ranks


def test_settings_are_the_protocol_with_what_was_given():
    config = compose("a.txt", "items.csv", 7, ["training.epochs=1"])
    assert config.run.events == ("a.txt",)
    assert config.run.items == ("items.csv",)
    assert (config.run.seed, config.clustering.seed, config.training.epochs) == (7, 7, 1)
    assert (config.data.format, config.data.split) == ("sequences", "leave_one_out")
    assert config.data.min_item_events == 1
    assert (config.serving.top_k, config.serving.exclude_seen) == (20, True)
    assert (config.gates.mode, config.gates.against) == ("warn", "free")


@pytest.mark.parametrize(
    "override",
    [
        "serving.top_k=10",
        "serving.exclude_seen=auto",
        "data.split=temporal",
        "data.format=csv",
        "encoder.max_events=100",
        "gates.mode=enforce",
        "gates.against=served",
        "clustering.start_from=last",
        "features.min_item_count=10",
        "data.min_item_events=20",
        "data.min_user_events=20",
        "data.drop_items=.*[13579]",
        "data.drop_items=[a]",
        "data.max_events_per_user_per_day=3",
        "data.max_bad_fraction=1",
        "data.cancellation.negative_quantity=false",
        "data.actions={event: purchase}",
        "data.validation_quantile=0.5",
        "data.test_quantile=0.95",
        "evaluation.task=next_item",
        "evaluation.task=next_basket",
        "evaluation.period_days=3",
    ],
)
def test_leaving_the_protocol_is_refused(override):
    name = re.escape(override.split("=")[0])
    with pytest.raises(ConfigError, match=f"^{name} must be .* in a benchmark"):
        compose("a.txt", None, None, [override])


def test_no_setting_of_the_data_may_change():
    """Also one that comes later: what is not listed is refused."""
    protocol = load_config(["benchmark"])
    for name in DataConfig.model_fields.keys() - {"seed"}:
        data = protocol.data.model_copy(update={name: "another value"})
        with pytest.raises(ConfigError, match=rf"^data\.{name} must be "):
            check_protocol(protocol.model_copy(update={"data": data}), protocol)


def test_the_message_says_what_is_needed():
    cases = {
        "encoder.max_events=51": "at most 50",
        "serving.top_k=19": "at least 20",
        "data.max_events_per_user_per_day=9": "null",
        "serving.exclude_seen=false": "true",
        "data.split=temporal": "leave_one_out",
    }
    for override, needed in cases.items():
        with pytest.raises(ConfigError, match=f"must be {needed} in a benchmark"):
            compose("a.txt", None, None, [override])


@pytest.mark.parametrize(
    "override",
    [
        *("training.epochs=1", "encoder.members=2", "encoder.max_events=20", "tuning.enabled=true"),
        *(
            "combiner.controls=true",
            "combiner.peers=[ease]",
            "clustering.k=3",
            "content.max_tokens=32",
            "run.max_clusters=1",
        ),
        *("serving.top_k=50", "serving.index=approximate", "features.max_categories=10"),
        *("gates.min_ndcg_at_10=0.5", "deployment.kept_versions=2", "infra.examples=2"),
        "beam.direct_num_workers=2",
    ],
)
def test_the_recipe_may_change(override):
    assert compose("a.txt", "items.csv", 3, [override]).run.seed == 3


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["--sequences", "none.txt"], ["sequences: no file 'none.txt'"]),
        (["--sequences", __file__, "--items", "none.csv"], ["items: no file 'none.csv'"]),
        (["--sequences", __file__, "--set", "training.epoch=1"], ["'training.epochs'"]),
        (["--sequences", __file__, "--seed", "-1"], ["'run.seed'"]),
        ([], ["--sequences"]),
    ],
)
def test_wrong_use_is_explained_before_anything_starts(arguments, parts, tmp_path):
    answer = cohortrec("benchmark", "--output", tmp_path / "out", *arguments)
    assert answer.code == 2, answer
    assert all(part in answer.err for part in parts), answer.err
    assert "Traceback" not in answer.err
    assert not (tmp_path / "out").exists()


def test_figures_are_means_with_intervals_and_a_paired_difference(figures):
    found, ranks = figures
    assert found["users"] == 200
    hit = (ranks["routed"] <= 10).mean()
    figure = found["models"]["routed"]["hr@10"]
    assert figure["mean"] == pytest.approx(hit)
    # The normal interval of a share is a good guide to its bootstrap interval.
    half = 1.96 * np.sqrt(hit * (1 - hit) / 200)
    assert (figure["high"] - figure["low"]) / 2 == pytest.approx(half, rel=0.15)
    gained = found["models"]["combiner - global"]["mrr"]
    assert gained["mean"] == pytest.approx((1 / ranks["combiner"] - 1 / ranks["global"]).mean())
    # The combiner is nowhere worse, which only a paired interval can know.
    assert 0 < gained["low"] < gained["high"]
    assert set(found["models"]["global"]) == {
        *("hr@5", "hr@10", "hr@20", "ndcg@5", "ndcg@10", "ndcg@20", "mrr")
    }


def test_targets_that_the_user_had_are_counted(tmp_path):
    def text(*values):
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))

    path = str(tmp_path / "data.gz")
    options = tf.io.TFRecordOptions(compression_type="GZIP")
    with tf.io.TFRecordWriter(path, options) as writer:
        for items, target in [((b"a", b"b"), b"a"), ((b"a", b"b"), b"c"), ((b"c",), b"c")]:
            feature = {"item_ids": text(*items), "target_item_ids": text(target)}
            example = tf.train.Example(features=tf.train.Features(feature=feature))
            writer.write(example.SerializeToString())
    assert targets_in_history(tmp_path) == 2


def test_published_rows_are_found_by_the_end_of_the_path():
    name = data_set_name("/data/Beauty/sequences.txt", None)
    assert name == "Beauty/sequences.txt"
    rows = {row.model: row.metrics() for row in published_rows(name)}
    assert rows["WEARec"]["ndcg@10"] == 0.0614
    assert rows["ELCRec"]["hr@10"] is None
    assert {row.model for row in published_rows("amazon_toys.txt")} == {
        *("SASRec", "ICLRec", "ELCRec", "BSARec")
    }
    # Not by folders further up, nor by a part of a word.
    assert not published_rows(data_set_name("/beauty/one/two/sports.txt", None))
    assert not published_rows("toystore")
    assert data_set_name("/data/beauty/x.txt", "my shop") == "my shop"


def test_cells_say_mean_and_interval():
    assert with_half_width({"mean": 0.05791, "low": 0.055, "high": 0.0608}) == "0.0579 ±.0029"
    text = with_interval({"mean": 0.0012, "low": -0.0003, "high": 0.0027})
    assert text == "+.0012 [-.0003, +.0027]"


def _read_to_the_end(terminal):
    """What was written to a terminal whose other side is closed; one read may give a part of it."""
    parts = []
    with contextlib.suppress(OSError):  # Linux ends it with EIO
        while part := os.read(terminal, 65536):
            parts.append(part)
    os.close(terminal)
    return b"".join(parts).decode()


def test_tables_fit_a_terminal_of_100_columns(figures, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    found, _ = figures
    main, terminal = pty.openpty()
    with os.fdopen(terminal, "w") as stream:
        console = Console(stream)
        show_split("test", found | {"targets_in_history": 3}, console)
        show_published(found, published_rows("beauty"), "beauty", console)
        show_stages([StageUsage("Transform", "ran", 61.0, 2_500_000_000)], 75.0, None, console)
    shown = _read_to_the_end(main)
    lines = [line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", shown).split("\r\n")]
    assert max(map(len, lines)) <= 100
    lines = [line.lstrip() for line in lines]
    # Nothing is folded: every metric is one line of each table, of which the peers have two.
    assert sum(line.startswith("NDCG@10 ") for line in lines) == 4
    assert any(line.startswith("combiner against ease: ") for line in lines)
    assert any("1 min 01 s" in line and "2.50 GB" in line for line in lines)
    assert any("3 of these users (1.5%)" in line for line in lines)
    assert any(line.startswith("ELCRec") and "–" in line for line in lines)


def test_an_unknown_data_set_is_said_to_be_one(figures):
    stream = io.StringIO()
    show_published(figures[0], (), "sports", Console(stream))
    assert stream.getvalue().strip() == "No published results are known for 'sports'."


def test_cached_stages_keep_what_they_cost_when_they_ran(tmp_path):
    earlier = tmp_path / "benchmark.json"
    cached = {"node": "Transform", "state": "cached", "seconds": None, "peak_bytes": None}
    cost = {"seconds": 5.0, "peak_bytes": 7}
    assert _with_earlier_cost([dict(cached)], earlier) == [cached]
    earlier.write_text('{"stages": [{"node": "Transform", "state": "ran", "seconds": 5.0, '
                       '"peak_bytes": 7}]}')  # fmt: skip
    (stage,) = _with_earlier_cost([dict(cached)], earlier)
    assert stage == cached | {"when_it_ran": cost}
