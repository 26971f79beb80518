"""A setting with a value of the wrong type: the message names the setting as the user writes it.

`--set training.epochs=abc` once named `training.epochs.constrained-int`, which does not exist.
"""

import re
from collections.abc import Iterator

import pytest

from tfx_pipeline.settings.run_config import RunConfig, load_config
from trainer.settings import ConfigError, Settings


def _settings(section: type[Settings], prefix: str = "") -> Iterator[str]:
    for name, field in section.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Settings):
            yield from _settings(kind, f"{prefix}{name}.")
        else:
            yield prefix + name


ALL = list(_settings(RunConfig))
WRONG = ("no such value", '[["x"]]', "{zzz: [[1]]}", "true", "-1.5")
NAMED = re.compile(r"(?:setting|section) '([\w.-]+)'")


def _message(override: str) -> str | None:
    try:
        load_config(overrides=[override])
    except ConfigError as error:
        return str(error)
    return None


@pytest.mark.parametrize("setting", ALL)
def test_every_setting_is_named_as_it_is_written(setting):
    messages = [_message(f"{setting}={value}") for value in WRONG]
    refused = [message for message in messages if message is not None]
    assert refused, "this setting takes anything"
    for message in refused:
        names = NAMED.findall(message)
        assert names, message
        for name in names:
            # The setting, a part of its value, or the section that it does not fit into.
            parents = {setting.rsplit(".", depth)[0] for depth in range(3)}
            assert name in parents or name in (f"{setting}.zzz", f"{setting}.z"), message


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("training.epochs=abc", "'training.epochs': must be a whole number or 'auto' (got 'abc')"),
        ("training.epochs=0", "must be greater than or equal to 1 or 'auto' (got 0)"),
        ("training.epochs=true", "'training.epochs': must not be true or false"),
        ("training.epochs.most=3", "'training.epochs.most'; 'training.epochs' is one value"),
        ("training.learning_rate=.inf", "'training.learning_rate': must be a finite number"),
        ("tuning.width=[32, wide]", "setting 'tuning.width', value 2: must be a whole number"),
        ("tuning.width=[32]", "setting 'tuning.width': must have at least 2 values (got [32])"),
        ("tuning.dropout=[0.1]", "setting 'tuning.dropout', value 2: is missing"),
        ("clustering.algorithms=[kmens]", "'clustering.algorithms', value 1: must be 'kmeans'"),
        ("data.split=temporl", "(got 'temporl'; did you mean 'temporal'?)"),
        ("data.split=zzz", "'data.split': must be 'temporal' or 'leave_one_out' (got 'zzz')"),
        ("clustering.pca=much", "setting 'clustering.pca': must be a whole number or a number"),
        ("data.columns={user_id: 3}", "setting 'data.columns.user_id': must be text or a list"),
        ("data.columns={user_id: 3}", "to give text, quote it: data.columns.user_id='\"…\"'"),
        ("data.columns={user_id: [3]}", "setting 'data.columns.user_id', value 1: must be text"),
        ("data.cancellation=3", "section 'data.cancellation' must hold settings, not 3"),
        ("data.cancellation.prefx=C", "did you mean 'data.cancellation.prefix'?"),
        ("data.latest=2019-13-45", "setting 'data.latest': must be a date, such as 2019-10-31"),
        ("data.earliest=2019", "setting 'data.earliest': must be a date"),
        ("data.earliest='\"2019\"'", "setting 'data.earliest': must be a date"),
        ("kubeflow.caching={Transform: perhaps}", "'kubeflow.caching.Transform': must be true"),
        ("kubeflow.resources.Transform.cpu=1", "setting 'kubeflow.resources.Transform.cpu'"),
        ("kubeflow.resources.Transform=1", "section 'kubeflow.resources.Transform' must hold"),
        ("encoder={width: 32, width: 64}", "key 'width' is given twice"),
        ("encoder={1: 2}", "unknown setting 'encoder.1'; known here"),
        ("3=2", "unknown setting '3'; known: run"),
        ("=2", "write it as section.key=value"),
        ("encoder..width=2", "write it as section.key=value"),
        ("training.strategy=multi_worker_mirrored", "'training.strategy': training on several"),
        ("training.strategy=multi_worker_mirrored", "use 'mirrored' for all GPUs of one machine"),
        ("encoder={{width}}", "section 'encoder' must hold settings"),
    ],
)  # fmt: skip
def test_neighbours(override, message):
    assert message in str(_message(override))


def test_the_seed_of_the_run_is_blamed_once():
    assert _message("run.seed=abc") == "setting 'run.seed': must be a whole number (got 'abc')"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"encoder:\n  width: wide\n", "setting 'encoder.width': must be a whole number"),
        (b"encoder:\n  - width\n", "section 'encoder' must hold settings"),
        (b"encoder:\n\twidth: 32\n", "own.yaml' is not valid YAML: line 2: found character"),
        (b"encoder:\n  width: 3\n  width: 4\n", "line 3: key 'width' is given twice"),
        (b"run:\n  name: caf\xe9\n", "own.yaml': line 2 is not UTF-8; save the file as UTF-8"),
        (b"true: 3\n", "unknown setting 'True'; "),
        (b"data:\n  latest: 2019-13-45\n", "setting 'data.latest': must be a date"),
        (b"just text\n", "must hold sections such as 'data:', not a str"),
    ],
)
def test_files(content, message, tmp_path):
    file = tmp_path / "own.yaml"
    file.write_bytes(content)
    with pytest.raises(ConfigError) as raised:
        load_config(file=file)
    assert message in str(raised.value)


def test_files_that_are_fine_or_not_there(tmp_path):
    file = tmp_path / "own.yaml"
    file.write_bytes(b"\xef\xbb\xbfencoder:\n  width: 32\n")
    assert load_config(file=file).encoder.width == 32
    file.write_bytes(b"# nothing\n")
    assert load_config(file=file) == load_config()
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load_config(file=tmp_path)
