"""An output folder whose name TensorFlow and TFX would read as a pattern, or that cannot be used.

In `--output 'runs[1]'` files were once looked for in `runs1`: strange errors, or another's data.
"""

import pytest

from tests.helpers.planted_shop import write_events
from tests.helpers.terminal import cohortrec
from tfx_pipeline.local.run_directory import RunDirectory
from tfx_pipeline.paths.inputs import InputError


@pytest.mark.parametrize("character", list("*?[]{}\\"))
def test_patterns_are_refused_at_once(character, tmp_path):
    events = write_events(tmp_path / "events.csv", users=20)
    output = tmp_path / f"runs{character}1" / "shop"
    answer = cohortrec("run", "--events", events, "--output", output)
    assert answer.code == 2
    assert f"read {character} in a path as a pattern of file names" in answer.err
    assert "choose another --output" in answer.err
    assert not output.parent.exists()


@pytest.mark.parametrize("name", ["two\nlines", "tab\there", "bell\a", "no-utf8-\udcff", "\u2028"])
def test_control_characters_and_bytes_that_are_no_utf8_are_refused(name, tmp_path):
    with pytest.raises(InputError, match="control characters or is not UTF-8"):
        RunDirectory(tmp_path / name).claim()


@pytest.mark.parametrize(
    "name", ["with space", "50%", "#1", "-x", "Läden ü 店", "a,b;c=d&e'f", "~"]
)
def test_names_that_are_fine(name, tmp_path):
    RunDirectory(tmp_path / name).claim()
    assert (tmp_path / name).is_dir()


def test_the_way_of_a_link_and_of_the_working_folder_counts(tmp_path, monkeypatch):
    odd = tmp_path / "runs[1]"
    odd.mkdir()
    (tmp_path / "plain").symlink_to(odd)
    with pytest.raises(InputError, match=r"read \[ \] in a path"):
        RunDirectory(tmp_path / "plain" / "shop").claim()
    monkeypatch.chdir(odd)
    with pytest.raises(InputError, match=r"read \[ \] in a path"):
        RunDirectory(odd.relative_to(odd) / "shop").claim()


def test_links_that_lead_nowhere_and_names_that_are_too_long(tmp_path):
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    with pytest.raises(InputError, match="a link that leads nowhere"):
        RunDirectory(tmp_path / "gone").claim()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(InputError, match="cannot write to"):
        RunDirectory(tmp_path / "loop").claim()
    with pytest.raises(InputError, match="File name too long"):
        RunDirectory(tmp_path / ("x" * 300)).claim()
    with pytest.raises(InputError, match="bytes, more than 3,400"):
        RunDirectory(tmp_path.joinpath(*["x" * 200] * 18)).claim()


def test_another_run_in_the_directory_is_told_at_once(tmp_path):
    directory = RunDirectory(tmp_path)
    with directory.locked(), pytest.raises(InputError, match="another run is using"):
        RunDirectory(tmp_path).claim()
    directory.claim()


def test_no_folder_and_a_folder_elsewhere(tmp_path, monkeypatch):
    answer = cohortrec("run", "--events", "x", "--output", "")
    assert answer.code == 2
    assert "must name a folder; it is empty" in answer.err
    answer = cohortrec("run", "--events", "x", "--output", "gs://bucket/run")
    assert answer.code == 2
    assert "must be a folder on this machine, not 'gs://bucket/run'" in answer.err
    monkeypatch.setenv("HOME", str(tmp_path / "runs[1]"))
    events = write_events(tmp_path / "events.csv", users=20)
    answer = cohortrec("run", "--events", events, "--output=~/shop")
    assert "read [ ] in a path" in answer.err


def test_a_model_in_such_a_folder_is_refused_not_looked_for_elsewhere(tmp_path):
    model = tmp_path / "shop[1]"
    model.mkdir()
    (model / "saved_model.pb").touch()
    answer = cohortrec("recommend", "--model", model, "--history", "1")
    assert answer.code == 2
    assert "TensorFlow reads [ ] in a path as a pattern of file names" in answer.err
