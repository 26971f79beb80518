"""Composition of the configuration, and what a wrong setting is told."""

import pytest

from tfx_pipeline.settings.run_config import RunConfig, load_config, preset_names
from trainer.settings import ConfigError


def test_later_sources_win(tmp_path):
    file = tmp_path / "own.yaml"
    file.write_text("training:\n  epochs: 7\n  batch_size: 32\n")
    config = load_config(["quick"], file, ["training.epochs=9"])
    assert config.training.epochs == 9
    assert config.training.batch_size == 32
    assert config.encoder.width == load_config(["quick"]).encoder.width


def test_values_are_read_as_yaml():
    config = load_config(
        overrides=["training.learning_rate=1e-3", "data.columns={user_id: who}", "clustering.k=3"]
    )
    assert config.training.learning_rate == pytest.approx(1e-3)
    assert config.data.columns == {"user_id": "who"}
    assert config.clustering.k == 3


# What such a preset cannot know of somebody's cluster.
OF_A_CLUSTER = {
    "dataflow": [
        *("beam.project=shop", "beam.region=europe-west1"),
        *("beam.temp_location=gs://bucket/tmp", "beam.worker_image=shop/cohortrec:7"),
    ],
    "flink": ["beam.job_endpoint=server:8099", "beam.worker_image=shop/cohortrec:7"],
    "spark": ["beam.job_endpoint=server:8099", "beam.worker_image=shop/cohortrec:7"],
}


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_is_valid(name):
    assert isinstance(load_config([name], overrides=OF_A_CLUSTER.get(name, [])), RunConfig)


def test_labels_and_items_of_a_preset_do_not_go_with_other_events():
    shop = load_config(["complete_journey"])
    assert shop.clustering.labels.endswith("demographics.parquet")
    assert shop.run.items
    own = load_config(["complete_journey"], events=("own.csv",))
    assert (own.clustering.labels, own.run.items) == (None, ())
    own = load_config(["complete_journey"], events=("own.csv",), items=("items.csv",))
    assert own.run.items == ("items.csv",)
    both = load_config(
        ["complete_journey"], overrides=["clustering.labels=own_labels.csv"], events=("own.csv",)
    )
    assert both.clustering.labels == "own_labels.csv"


def test_clusters_go_on_from_the_last_run_unless_a_benchmark_is_measured():
    assert load_config().clustering.start_from == "last"
    assert load_config(["benchmark"]).clustering.start_from == "none"
    own = load_config(overrides=["clustering.start_from=out/first"])
    assert own.clustering.start_from == "out/first"


def test_one_seed_for_all_sections():
    assert load_config(overrides=["run.seed=5"]).clustering.seed == 5
    assert load_config(overrides=["run.seed=5", "clustering.seed=6"]).clustering.seed == 6


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("encoder.widht=32", "unknown setting 'encoder.widht'; did you mean 'encoder.width'?"),
        ("encodr.width=32", "unknown setting 'encodr'; did you mean 'encoder'?"),
        ("width=32", "unknown setting 'width'; did you mean 'encoder.width'?"),
        ("zzz=1", "unknown setting 'zzz'; known: run, data"),
        ("encoder=3", "section 'encoder' must hold settings, not 3"),
        ("encoder.width=broad", "setting 'encoder.width'"),
        ("encoder.width", "write it as section.key=value"),
        ("clustering.start_from=", "setting 'clustering.start_from'"),
        ("combiner.peers=[als, eas]", "unknown peer 'eas'; did you mean 'ease'?"),
        ("combiner.peers=[xyz]", "unknown peer 'xyz'; known: als, bpr, pure_svd"),
        ("combiner.peers=[als, als]", "'combiner.peers': a peer must be named once"),
        ("combiner.peers=als", "setting 'combiner.peers': must be a list"),
        ("clustering.k=9", "raise run.max_clusters or lower clustering.k"),
        (
            "evaluation.task=next_baskt",
            "'evaluation.task': must be 'auto', 'next_item', 'next_basket' or 'next_period' "
            r"\(got 'next_baskt'; did you mean 'next_basket'?\)",
        ),
        (
            "evaluation.taks=auto",
            "unknown setting 'evaluation.taks'; did you mean 'evaluation.task'",
        ),
        ("evaluation.period_days=0", "setting 'evaluation.period_days': must be greater than 0"),
    ],
)
def test_a_wrong_setting_is_named(override, message):
    with pytest.raises(ConfigError, match=message.replace("?", r"\?")):
        load_config(overrides=[override])


def test_a_period_needs_a_split_in_time():
    asked = ["evaluation.task=next_period"]
    assert load_config(overrides=asked).evaluation.period_seconds == 7 * 86_400
    message = "evaluation.task=next_period needs data.split=temporal"
    with pytest.raises(ConfigError, match=message):
        load_config(overrides=[*asked, "data.split=leave_one_out"])


def test_the_search_space_has_to_fit_the_other_settings():
    off = ["encoder.heads=4", "encoder.width=64", "tuning.width=[32, 50]"]
    assert load_config(overrides=off).tuning.width == (32, 50)
    with pytest.raises(ConfigError, match="tuning.width: 50 cannot be tried"):
        load_config(overrides=[*off, "tuning.enabled=true"])


def test_a_wrong_preset_or_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match="unknown preset 'quik'; did you mean 'quick'"):
        load_config(["quik"])
    with pytest.raises(ConfigError, match="does not exist"):
        load_config(file=tmp_path / "none.yaml")
    broken = tmp_path / "broken.yaml"
    broken.write_text("encoder: [")
    with pytest.raises(ConfigError, match="not valid YAML"):
        load_config(file=broken)
    broken.write_text("encoder:\n  width: 32\nencoder:\n  layers: 1\n")
    with pytest.raises(ConfigError, match="key 'encoder' is given twice"):
        load_config(file=broken)
    broken.write_text("- encoder")
    with pytest.raises(ConfigError, match="must hold sections"):
        load_config(file=broken)


def test_beam_arguments():
    assert load_config().beam.pipeline_args() == []
    two = ["beam.direct_num_workers=2", "beam.direct_running_mode=multi_processing"]
    assert load_config(overrides=two).beam.pipeline_args() == [
        "--direct_num_workers=2",
        "--direct_running_mode=multi_processing",
    ]
    more = load_config(overrides=["beam.extra_args=[--max_num_workers=9]"])
    assert more.beam.pipeline_args() == ["--max_num_workers=9"]


def test_unreadable_yaml_is_one_line_that_names_the_line(tmp_path):
    file = tmp_path / "own.yaml"
    file.write_text("data:\n  actions: [a, b\n")
    with pytest.raises(ConfigError, match="not valid YAML: line 3: expected") as raised:
        load_config(file=file)
    assert "\n" not in str(raised.value)


def test_the_behaviour_head_is_checked():
    assert load_config().behavior_head.actions == ()
    assert load_config(overrides=["behavior_head.actions=[2]"]).behavior_head.actions == ("2",)
    for setting, fault in {
        "actions=[' ']": "no name for an action",
        "days=0": "behavior_head.days",
        "min_auc=1": "behavior_head.min_auc",
        "day=3": "did you mean 'behavior_head.days'",
    }.items():
        with pytest.raises(ConfigError, match=fault):
            load_config(overrides=[f"behavior_head.{setting}"])
    asked = ["behavior_head.actions=[buy]", "data.split=leave_one_out"]
    with pytest.raises(ConfigError, match=r"behavior_head\.actions needs data\.split=temporal"):
        load_config(overrides=asked)
    # Without a head any split will do.
    load_config(overrides=asked[1:])
