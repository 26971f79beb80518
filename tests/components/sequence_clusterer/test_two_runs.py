"""A second run of SequenceClusterer on newer data goes on from the first one's artifact."""

import logging

import numpy as np
import polars as pl
import pytest

from components.sequence_clusterer.errors import ClusteringError
from components.sequence_clusterer.lasting.last_clusters import LastClusters
from tests.helpers.clusterer_runs import (
    GROUPS,
    history,
    planted,
    read,
    run,
    save_encoder,
)

pytestmark = pytest.mark.slow

SETTINGS = {"min_cluster_users": 5}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The first run, and a second by another encoder: users of cars left, users of toys came."""
    folder = tmp_path_factory.mktemp("runs")
    for scale in (1.0, -2.0):
        save_encoder(folder / f"encoder{scale}", scale)
    first = run(folder / "first", folder / "encoder1.0", planted(), **SETTINGS)
    second = run(
        folder / "second",
        folder / "encoder-2.0",
        newer(),
        start_from=first.clusters.uri,
        random_partition=True,
        **SETTINGS,
    )
    return first, second


def newer():
    rng = np.random.default_rng(1)
    splits = {"train": [], "validation": [], "test": []}
    for group, users in (("tea", 40), ("pet", 40), ("toy", 60)):
        for user in range(users):
            items = [f"{group}{n}" for n in rng.integers(0, 20, 12)]
            name = f"{group}-user{user}"
            splits["train"].append(history(name, items[:-2]))
            splits["validation"].append(history(name, items[:-2], targets=items[-2:-1]))
            splits["test"].append(history(name, items[:-1], targets=items[-1:]))
    return splits


def numbers_of(result):
    """Group of users -> the lasting numbers that they are in."""
    users = pl.read_parquet(f"{result.clusters.uri}/users.parquet")
    return {
        group: set(users.filter(pl.col("user_id").str.starts_with(group))["lasting_id"].to_list())
        for group in (*GROUPS, "toy")
    }


def test_the_first_run_leaves_who_was_where(runs):
    first, _ = runs
    users = pl.read_parquet(f"{first.clusters.uri}/users.parquet")
    assert users.columns == ["user_id", "cluster", "lasting_id"]
    assert sorted(users["user_id"]) == sorted(f"{g}-user{n}" for g in GROUPS for n in range(40))
    assert users["cluster"].to_list() == users["lasting_id"].to_list()
    lasting = first.description["lasting"]
    assert (lasting["ids"], lasting["next_id"]) == ([0, 1, 2], 3)
    assert lasting["separated"] == (~np.eye(3, dtype=bool)).tolist()
    assert lasting["names"] == [profile["name"] for profile in first.profiles]
    assert first.evaluation["lasting"] == {"ids": [0, 1, 2], "how": "first", "reason": ""}
    assert [profile["last_name"] for profile in first.profiles] == [None] * 3


def test_numbers_last_and_indices_run_from_zero(runs):
    first, second = runs
    before, after = numbers_of(first), numbers_of(second)
    assert all(len(numbers) == 1 for group, numbers in before.items() if group != "toy")
    assert (after["tea"], after["pet"]) == (before["tea"], before["pet"])
    assert after["toy"] == {3}
    assert after["car"] == set()
    (gone,) = before["car"]
    ids = second.evaluation["lasting"]["ids"]
    assert ids == sorted({0, 1, 2, 3} - {gone})
    assert second.geometry.clusters == 3
    assert second.clusters.get_int_custom_property("clusters") == 3
    changes = {(c["kind"], c["lasting_id"]) for c in second.evaluation["lasting"]["changes"]}
    kept = {("kept", number) for number in ids if number != 3}
    assert changes == {*kept, ("created", 3), ("retired", gone)}
    assert second.description["lasting"]["next_id"] == 4


def test_examples_profiles_and_the_model_agree_about_the_index(runs):
    _, second = runs
    ids = second.evaluation["lasting"]["ids"]
    for number, group in ((*numbers_of(second)[g], g) for g in ("tea", "pet", "toy")):
        index = ids.index(number)
        records = read(second.examples, f"cluster_{index}_train")
        items = {e.features.feature["item_ids"].bytes_list.value[0][:3].decode() for e in records}
        assert items == {group}
        assert second.profiles[index]["lasting_id"] == number
        assert {i["item_id"][:3] for i in second.profiles[index]["top_items"]} == {group}
    sizes = [profile["users"] for profile in second.profiles]
    assert sizes == second.evaluation["sizes"] == second.description["sizes"]
    last_names = [profile["last_name"] for profile in second.profiles]
    assert last_names.count(None) == 1
    assert second.evaluation["k_from"] == "last_run"


def test_a_third_run_goes_on_from_the_second(runs, tmp_path):
    _, second = runs
    save_encoder(tmp_path / "encoder", 0.5)
    third = run(
        tmp_path / "third",
        tmp_path / "encoder",
        newer(),
        start_from=second.clusters.uri,
        **SETTINGS,
    )
    assert numbers_of(third) == numbers_of(second)
    assert {c["kind"] for c in third.evaluation["lasting"]["changes"]} == {"kept"}


def test_strangers_start_afresh_and_it_is_said(runs, tmp_path, caplog):
    first, _ = runs
    strangers = {split: [] for split in ("train", "validation", "test")}
    for group in GROUPS:
        for user in range(30):
            items = [f"{group}{n}" for n in range(user % 3, 8)]
            strangers["train"].append(history(f"stranger-{group}{user}", items))
    save_encoder(tmp_path / "encoder")
    with caplog.at_level(logging.INFO, logger="cohortrec.progress"):
        result = run(
            tmp_path / "run",
            tmp_path / "encoder",
            strangers,
            start_from=first.clusters.uri,
            **SETTINGS,
        )
    lasting = result.evaluation["lasting"]
    assert (lasting["how"], lasting["common_users"]) == ("afresh", 0)
    assert lasting["ids"] == [3, 4, 5]
    assert "start afresh: 0 of the 90 users are known" in lasting["reason"]
    assert lasting["reason"] in caplog.text


def test_clusters_that_cannot_be_read_are_named(runs, tmp_path):
    first, _ = runs
    with pytest.raises(ClusteringError, match=r"clustering\.start_from: .*nowhere cannot be"):
        LastClusters.load(str(tmp_path / "nowhere"))
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    (damaged / "clusters.json").write_text('{"algorithm": "kmeans"}')
    users = pl.read_parquet(f"{first.clusters.uri}/users.parquet")
    users.write_parquet(damaged / "users.parquet")
    with pytest.raises(ClusteringError, match="'lasting' is missing"):
        LastClusters.load(str(damaged))
