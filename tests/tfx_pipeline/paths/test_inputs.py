"""From what a user types to files."""

import pytest

from components.behavior_example_gen.reading.sources import expand
from tfx_pipeline.paths.inputs import (
    InputError,
    labels_file,
    make_writable,
    resolve_files,
    start_path,
)


def test_globs_and_duplicates(tmp_path):
    for name in ("b.csv", "a.csv", "c.txt"):
        (tmp_path / name).write_text("x")
    found = resolve_files([f"{tmp_path}/*.csv", f"{tmp_path}/a.csv"], "events")
    assert [name.rsplit("/", 1)[1] for name in found] == ["a.csv", "b.csv"]


def test_a_folder_stands_for_its_files(tmp_path):
    (tmp_path / "parts" / "older").mkdir(parents=True)
    for name in ("b.csv", "a.csv", "_SUCCESS", ".a.csv.crc", "older/c.csv"):
        (tmp_path / "parts" / name).write_text("x")
    for given in ("parts", "parts/"):
        found = resolve_files([f"{tmp_path}/{given}"], "events")
        assert [name.rsplit("/", 1)[1] for name in found] == ["a.csv", "b.csv"]
        # The component, which looks where the pipeline runs, finds the same.
        assert expand([f"{tmp_path}/{given}"], "event") == found


def test_package_files_and_remote_files():
    (found,) = resolve_files(["package:schema/history.pbtxt"], "events")
    assert found.endswith("schema/history.pbtxt")
    assert resolve_files(["gs://bucket/e.csv"], "events") == ["gs://bucket/e.csv"]


def test_missing_files_are_named(tmp_path):
    (tmp_path / "events.csv").write_text("x")
    with pytest.raises(InputError, match=r"no file .*did you mean '.*events\.csv'"):
        resolve_files([f"{tmp_path}/event.csv"], "events")
    with pytest.raises(InputError, match="there is no folder"):
        resolve_files([f"{tmp_path}/nowhere/e.csv"], "events")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no file .*empty': the folder has none"):
        resolve_files([f"{tmp_path}/empty"], "events")
    with pytest.raises(InputError, match="pip install no-such-shop"):
        resolve_files(["package:no_such_shop/e.csv"], "events")
    with pytest.raises(InputError, match=r"has no file 'e\.csv'"):
        resolve_files(["package:schema/e.csv"], "events")


def test_labels_are_one_file_or_none(tmp_path):
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("x")
    assert labels_file(None) == ""
    assert labels_file(f"{tmp_path}/a.*") == str(tmp_path / "a.csv")
    assert labels_file("package:schema/history.pbtxt").endswith("schema/history.pbtxt")
    with pytest.raises(InputError, match=r"clustering\.labels: .*\*\.csv' stands for 2 files"):
        labels_file(f"{tmp_path}/*.csv")
    with pytest.raises(InputError, match=r"clustering\.labels: no file .*did you mean '.*a\.csv"):
        labels_file(f"{tmp_path}/aa.csv")


def test_a_run_directory_that_cannot_be_written(tmp_path):
    make_writable(tmp_path / "new" / "run")
    assert (tmp_path / "new" / "run").is_dir()
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="cannot write to .*file': it is a file; choose another"):
        make_writable(tmp_path / "file")
    with pytest.raises(InputError, match="Not a directory; choose another --output"):
        make_writable(tmp_path / "file" / "run")


def test_the_clusters_to_go_on_from_are_a_run_or_a_cluster_model(tmp_path):
    assert start_path("last") is None
    assert start_path("none") is None
    for name in ("metadata.db", "clusters.json"):
        folder = tmp_path / name.partition(".")[0]
        folder.mkdir()
        with pytest.raises(InputError, match=r"clustering\.start_from: .*; it is neither"):
            start_path(str(folder))
        (folder / name).write_text("x")
        assert start_path(str(folder)) == folder
    with pytest.raises(InputError, match=r"clustering\.start_from: .*there is no such folder"):
        start_path(str(tmp_path / "gone"))
    with pytest.raises(InputError, match="only a compiled pipeline reads remote folders"):
        start_path("gs://bucket/run")
