"""Labels from outside: read, joined by hashes, compared with the clusters."""

import io

import numpy as np
import polars as pl
import pytest
from sklearn import metrics

from components.sequence_clusterer.errors import ClusteringError
from components.sequence_clusterer.meaning.label_agreement import label_agreement
from components.sequence_clusterer.meaning.outside_labels import (
    OutsideLabels,
    natural_order,
    read_outside_labels,
)
from components.sequence_clusterer.sample.fit_sample import user_hash

IDS = ["u1", "u2", "u3", "u4"]
USERS = np.array([user_hash(name.encode(), 7) for name in IDS])


def written(tmp_path, frame, name="labels.csv", **settings):
    path = tmp_path / name
    if name.endswith(".parquet"):
        frame.write_parquet(path)
    else:
        frame.write_csv(path, **settings)
    return str(path)


def read(path, column="user_id", users=USERS):
    return read_outside_labels(path, column, users, 7)


def test_users_are_found_by_their_hash_in_the_order_of_the_sample(tmp_path):
    frame = pl.DataFrame({"user_id": ["u3", "u9", "u1", " u2"], "age": ["old", "old", "young", ""]})
    labels = read(written(tmp_path, frame))
    assert labels.columns["age"].to_list() == ["young", None, "old", None]
    assert (labels.users_in_file, labels.matched) == (4, 3)
    other_seed = read_outside_labels(
        written(tmp_path, frame), "user_id", np.array([user_hash(b"u3", 8)]), 8
    )
    assert other_seed.matched == 1


@pytest.mark.parametrize("separator", [";", "\t"])
def test_other_separators(tmp_path, separator):
    frame = pl.DataFrame({"user_id": IDS, "age": ["1,5", "2", "2", "1,5"]})
    labels = read(written(tmp_path, frame, separator=separator))
    assert labels.columns["age"].to_list() == ["1,5", "2", "2", "1,5"]


def test_parquet_with_numbers(tmp_path):
    """Ids as the log's reader writes them: whole floats, from a column with gaps, as integers."""
    users = np.array([user_hash(name, 7) for name in (b"17850", b"12", b"3")])
    frame = pl.DataFrame(
        {"CustomerID": [12.0, 17850.0, None, 3.0], "segment": [1.0, float("nan"), 2.0, 2.0]}
    )
    labels = read(written(tmp_path, frame, "labels.parquet"), "CustomerID", users)
    assert labels.columns["segment"].to_list() == [None, "1", "2"]
    assert labels.users_in_file == 3


def test_columns_that_are_no_labels_are_left_out_with_a_reason(tmp_path):
    users = np.array([user_hash(f"u{n}".encode(), 7) for n in range(150)])
    frame = pl.DataFrame(
        {"user_id": [f"u{n}" for n in range(150)], "zip": range(150), "shop": ["north"] * 150}
    ).with_columns(half=pl.col("zip") // 75)
    labels = read(written(tmp_path, frame), users=users)
    assert list(labels.columns) == ["half"]
    assert "150 different values" in labels.skipped["zip"]
    assert "do not differ" in labels.skipped["shop"]


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ({"userid": IDS, "age": IDS}, r"no column 'user_id' .*did you mean 'userid'.*labels_user"),
        ({"user_id": ["x", "y"], "age": ["1", "2"]}, r"none of its 2 users \(user_id: 'x', 'y'\)"),
        ({"user_id": ["u1", "u1"], "age": ["1", "2"]}, "user 'u1' has more than one row"),
        ({"user_id": IDS}, "no column beside 'user_id'"),
    ],
)
def test_unusable_files_are_named_with_what_to_do(tmp_path, frame, message):
    path = written(tmp_path, pl.DataFrame(frame))
    with pytest.raises(ClusteringError, match=message) as error:
        read(path)
    assert path in str(error.value)


def test_missing_and_unreadable_files(tmp_path):
    with pytest.raises(ClusteringError, match=r"gone\.csv: there is no such file; correct"):
        read(str(tmp_path / "gone.csv"))
    buffer = io.BytesIO()
    pl.DataFrame({"user_id": IDS}).write_parquet(buffer)
    (tmp_path / "cut.parquet").write_bytes(buffer.getvalue()[:60])
    with pytest.raises(ClusteringError, match=r"cut\.parquet: neither readable CSV"):
        read(str(tmp_path / "cut.parquet"))
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ClusteringError, match=r"binary\.csv: neither readable CSV"):
        read(str(tmp_path / "binary.csv"))


def test_natural_order():
    values = ["100-124K", "65+", "15-24K", "Under 15K", "9-17", "9"]
    assert natural_order(values) == ["9", "9-17", "15-24K", "65+", "100-124K", "Under 15K"]


def agreement(clusters, **columns):
    labels = OutsideLabels({name: pl.Series(v) for name, v in columns.items()}, {}, 9, 8)
    return label_agreement(labels, np.asarray(clusters), 1, "labels.csv").model_dump()


def test_measures_and_the_table():
    clusters = np.array([0, 0, 0, 1, 1, 1, -1, 1])
    ages = ["a", "a", "b", "b", "b", "a", "b", None]
    found = agreement(clusters, age=ages)
    assert (found["users_in_file"], found["matched"]) == (9, 8)
    (age,) = found["columns"]
    assert (age["column"], age["users"], age["users_without_cluster"]) == ("age", 6, 1)
    assert age["values"] == ["a", "b"]
    assert age["table"] == [[2, 1], [1, 2]]
    assert age["row_shares"][0] == pytest.approx([2 / 3, 1 / 3])
    assert age["overall_shares"] == [0.5, 0.5]
    truth = [ages[:6], clusters[:6]]
    assert age["ami"] == pytest.approx(metrics.adjusted_mutual_info_score(*truth))
    assert age["ari"] == pytest.approx(metrics.adjusted_rand_score(*truth))
    assert age["nmi"] == age["v_measure"] == pytest.approx(metrics.v_measure_score(*truth))
    # Of the 20 ways to label six users with three a and three b, only two agree more, 18 as much.
    assert age["p_value"] == 1.0


def test_labels_that_are_the_clusters():
    clusters = np.repeat([0, 1, 2], 20)
    halves = ["x"] * 20 + ["y"] * 40  # each cluster has one, but two clusters share one
    found = agreement(clusters, planted=[f"g{k}" for k in clusters], halves=halves)
    planted, coarse = found["columns"]
    assert planted["nmi"] == planted["ari"] == pytest.approx(1.0)
    assert planted["ami"] == pytest.approx(1.0)
    assert (planted["p_value"], planted["q_value"]) == (0.001, 0.001)
    assert coarse["completeness"] < coarse["homogeneity"] == pytest.approx(1.0)


def test_shuffled_labels_agree_by_chance_only():
    rng = np.random.default_rng(0)
    clusters = np.repeat(np.arange(8), 25)
    columns = {f"c{n}": rng.permutation(np.arange(200) % 10).astype(str) for n in range(60)}
    found = agreement(clusters, **columns)["columns"]
    assert np.mean([column["nmi"] for column in found]) > 0.05  # not corrected for chance
    assert abs(np.mean([column["ami"] for column in found])) < 0.01
    assert abs(np.mean([column["ari"] for column in found])) < 0.01
    p_values = [column["p_value"] for column in found]
    assert 0.35 < np.mean(p_values) < 0.65
    assert min(column["q_value"] for column in found) > 0.05
    assert found == agreement(clusters, **columns)["columns"]


def test_one_cluster_agrees_with_nothing():
    (column,) = agreement(np.zeros(8, np.int64), age=["a", "b"] * 4)["columns"]
    assert (column["nmi"], column["ari"], column["p_value"]) == (0.0, 0.0, 1.0)
