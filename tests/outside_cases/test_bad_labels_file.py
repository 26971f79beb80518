"""A labels file that cannot be used is told before TensorFlow is loaded and anything is trained.

So are an items file, a log or pretrained weights that cannot be read.
"""

import sys

import polars as pl
import pytest

from components.sequence_clusterer.errors import ClusteringError
from components.sequence_clusterer.meaning.labels_file import read_labels_file
from tests.helpers.planted_shop import write_events
from tests.helpers.terminal import cohortrec
from tfx_pipeline.local.input_checks import check_inputs
from tfx_pipeline.settings.run_config import load_config


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "neither readable CSV (UTF-8) nor Parquet"),
        (b"user,age\nu1,3\n", "no column 'user_id' (it has: user, age); did you mean 'user'?"),
        (b"user_id\nu1\n", "no column beside 'user_id'; add one column a label"),
        (b"user_id,age\n", "no row has a user in 'user_id'"),
        (b"user_id,age\n,3\nNA,4\n", "no row has a user in 'user_id'"),
        (b"user_id,age\nu1,3\nu1,4\n", "user 'u1' has more than one row"),
        ("user_id,town\nu1,Köln\n".encode("latin-1"), "neither readable CSV (UTF-8)"),
        ("user_id,Größe\nu1,3\n".encode("latin-1"), "neither readable CSV (UTF-8)"),
        ("user_id,age\nu1,3\n".encode("utf-16"), "neither readable CSV (UTF-8)"),
        (b"user_id,age\nu1,3,4\nu2\n", "neither readable CSV (UTF-8) nor Parquet"),
        (b'user_id,age\nu1,"3\nu2,4\nu3,5\n', "neither readable CSV (UTF-8) nor Parquet"),
        (
            b'user_id,age\nu1,"3\nu2,4\nu3,5"\nu4,6\n',
            "'3' of column 'age' goes on in the next line",
        ),
        (b"user_id,age,age\nu1,3,4\n", "two columns are named 'age'"),
        (b"PAR1 and no more", "neither readable CSV (UTF-8) nor Parquet"),
        (b"\x1f\x8b\x08 packed", "neither readable CSV (UTF-8) nor Parquet"),
    ],
)
def test_faults_are_named(content, message, tmp_path):
    file = tmp_path / "labels.csv"
    file.write_bytes(content)
    with pytest.raises(ClusteringError) as raised:
        read_labels_file(str(file), "user_id")
    assert message in str(raised.value)
    assert str(file) in str(raised.value)


def test_lists_are_no_users(tmp_path):
    file = tmp_path / "labels.parquet"
    pl.DataFrame({"user_id": [["u1"], ["u2"]], "age": [1, 2]}).write_parquet(file)
    with pytest.raises(ClusteringError, match="column 'user_id' holds lists or objects"):
        read_labels_file(str(file), "user_id")


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(ClusteringError, match="there is no such file"):
        read_labels_file(str(tmp_path), "user_id")


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_what_is_fine(separator, tmp_path):
    file = tmp_path / "labels.csv"
    text = "\ufeffuser_id,age\n 7 ,3\n8,\n,5\n".replace(",", separator)
    file.write_text(text, encoding="utf-8")
    assert read_labels_file(str(file), "user_id").rows() == [("7", "3"), ("8", None)]


@pytest.mark.parametrize(
    ("option", "content", "message"),
    [
        ("clustering.labels", "user,age\nu1,3\n", "no column 'user_id' (it has: user, age)"),
        ("clustering.labels", "user_id,age\nnobody,3\n", "none of its 1 users (user_id: 'nobody')"),
        ("items", "name,price\nshoe,3\n", "no column for item_id"),
        ("events", "a,b\n1,2\n", "user_id"),
    ],
)
def test_it_is_told_before_anything_is_loaded(option, content, message, tmp_path, monkeypatch):
    events = write_events(tmp_path / "events.csv", users=20)
    other = tmp_path / "other.csv"
    other.write_text(content)
    given = {
        "clustering.labels": ["--events", events, "--set", f"clustering.labels={other}"],
        "items": ["--events", events, "--items", other],
        "events": ["--events", other],
    }[option]
    # Importing it fails from here on.
    monkeypatch.setitem(sys.modules, "tfx_pipeline.local.local_runner", None)
    output = tmp_path / "out"
    answer = cohortrec("run", *given, "--output", output)
    assert answer.code == 2, answer
    assert message in answer.err
    assert str(other) in answer.err
    assert not output.exists()


def test_one_user_in_common_is_enough_whatever_the_form_of_ids(tmp_path):
    log = tmp_path / "events.csv"
    log.write_text("user_id,item_id,timestamp\nu1,a,1500000000\n 7 ,b,1500000001\n")
    labels = tmp_path / "labels.parquet"
    pl.DataFrame({"user_id": [7.0, 8.0], "age": [1, 2]}).write_parquet(labels)
    check_inputs(load_config(overrides=[f"clustering.labels={labels}"], events=(str(log),)))


def test_weights_that_are_not_there_are_told_before_anything_is_loaded(tmp_path, monkeypatch):
    events = write_events(tmp_path / "events.csv", users=20)
    monkeypatch.setitem(sys.modules, "tfx_pipeline.local.local_runner", None)
    setting = f"content.weights={tmp_path}/bert"
    answer = cohortrec("run", "--events", events, "--set", setting, "--output", tmp_path / "out")
    assert answer.code == 2
    assert "setting 'content.weights': there is no folder" in answer.err
