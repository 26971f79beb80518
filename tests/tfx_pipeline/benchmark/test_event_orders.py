"""The orders of a log with times: that of the file, and those that are drawn."""

from __future__ import annotations

import random
from collections import defaultdict
from itertools import groupby
from pathlib import Path

import polars as pl
import pytest

from components.behavior_example_gen.config import DataConfig
from components.behavior_example_gen.reading.readers import read
from components.behavior_example_gen.reading.sources import event_sources
from components.behavior_example_gen.steps.whole_log import read_whole_log
from tfx_pipeline.benchmark import event_orders
from trainer.errors import DataError

DAY = 1_600_041_600
Row = tuple[str, str, int]


def _rows(seed: int, users: int = 60) -> list[Row]:
    """Users of one to twelve events on few days, each item once, in no order at all."""
    chance = random.Random(seed)
    rows = []
    for user in range(users):
        items = chance.sample(range(40), chance.randint(1, 12))
        days = [DAY + 86_400 * chance.randint(0, 4) for _ in items]
        rows += [(f"u{user}", f"i{item}", day) for item, day in zip(items, days, strict=True)]
    chance.shuffle(rows)
    return rows


def _events(folder: Path, rows: list[Row]) -> pl.DataFrame:
    path = folder / "log.csv"
    pl.DataFrame(rows, ["user_id", "item_id", "timestamp"], orient="row").write_csv(path)
    config = DataConfig(tie_order="log")
    return read_whole_log(event_sources([str(path)], config), config, str(folder)).events


def _sequences(events: pl.DataFrame) -> dict[str, list[str]]:
    lines = event_orders.sequence_text(events).splitlines()
    return {line.split(" ")[0]: line.split(" ")[1:] for line in lines}


def _orders(events: pl.DataFrame, draws: int = 3, seed: int = 1) -> dict[str, dict[str, list[str]]]:
    return {name: _sequences(order) for name, order in event_orders.orders(events, draws, seed)}


def test_the_order_of_the_file_is_kept_where_times_are_equal(tmp_path: Path) -> None:
    rows = _rows(0)
    histories = defaultdict(list)
    for user, item, time in rows:
        histories[user].append((time, item))
    # Python's sort leaves equal times as they are.
    by_hand = {
        user: [item for _, item in sorted(found, key=lambda event: event[0])]
        for user, found in histories.items()
    }
    found = _orders(_events(tmp_path, rows))
    assert list(found) == ["file", "1", "2", "3"]
    assert found["file"] == by_hand
    assert list(found["file"]) == sorted(by_hand)


def test_draws_differ_inside_equal_times_and_nowhere_else(tmp_path: Path) -> None:
    rows = _rows(1)
    times = {(user, item): time for user, item, time in rows}

    def instants(sequences: dict[str, list[str]]) -> dict[str, list[tuple[int, list[str]]]]:
        return {
            user: [
                (time, sorted(group))
                for time, group in groupby(items, key=lambda item: times[user, item])
            ]
            for user, items in sequences.items()
        }

    found = list(_orders(_events(tmp_path, rows)).values())
    for number, one in enumerate(found):
        assert instants(one) == instants(found[0])
        for other in found[:number]:
            assert one != other
    # Users without ties have one order only.
    for user, days in instants(found[0]).items():
        if all(len(items) == 1 for _, items in days):
            assert all(order[user] == found[0][user] for order in found)


def test_a_draw_depends_on_its_number_and_seed_and_not_on_the_file(tmp_path: Path) -> None:
    rows = _rows(2)
    first = _orders(_events(tmp_path, rows))
    assert _orders(_events(tmp_path, rows)) == first
    # More draws leave the first ones as they are.
    assert _orders(_events(tmp_path, rows), draws=1) == {
        name: first[name] for name in ("file", "1")
    }
    random.Random(0).shuffle(rows)
    shuffled = _orders(_events(tmp_path, rows))
    assert shuffled["file"] != first["file"]
    assert [shuffled[name] for name in "123"] == [first[name] for name in "123"]
    other = _orders(_events(tmp_path, rows), seed=2)
    assert not any(other[name] == first[known] for name in "123" for known in "123")


def test_every_item_of_an_instant_is_as_often_the_last(tmp_path: Path) -> None:
    rows = [(f"u{user}", item, DAY) for user in range(3000) for item in "abc"]
    last = [items[-1] for items in _orders(_events(tmp_path, rows), draws=1)["1"].values()]
    assert all(abs(last.count(item) - 1000) < 120 for item in "abc")  # 4.6 standard deviations


def test_test_targets_that_share_their_time_are_counted(tmp_path: Path) -> None:
    rows = _rows(3)
    times = defaultdict(list)
    for user, _, time in rows:
        times[user].append(time)
    long = [sorted(found) for found in times.values() if len(found) >= 3]
    assert len(long) < len(times)
    events = _events(tmp_path, rows)
    found = event_orders.tied_targets(events)
    assert (found.users, found.tied) == (len(long), sum(t[-1] == t[-2] for t in long))
    assert found.share == pytest.approx(found.tied / found.users)
    assert 0 < found.tied < found.users
    for _, order in event_orders.orders(events, 2, 1):
        assert event_orders.tied_targets(order) == found


def test_the_pipeline_reads_what_was_written(tmp_path: Path) -> None:
    events = _events(tmp_path, [("u", "tööl/?&=,;|'😀", DAY), ("u", "b", DAY + 1), ("ü", "c", DAY)])
    path = tmp_path / "sequences.txt"
    path.write_text(event_orders.sequence_text(events), encoding="utf-8")
    [source] = event_sources([str(path)], DataConfig(format="sequences"))
    [batch] = read(source)
    assert batch.frame.select("user_id", "item_id").rows() == [
        *(("u", "tööl/?&=,;|'😀"), ("u", "b"), ("ü", "c")),
    ]


@pytest.mark.parametrize(("user", "item", "name"), [("u", "a b", "item_id"), ("u v", "a", "user")])
def test_ids_with_spaces_are_refused(user: str, item: str, name: str, tmp_path: Path) -> None:
    events = _events(tmp_path, [("u", "a", DAY), (user, item, DAY)])
    with pytest.raises(DataError, match=f"1 values of {name}.* have a space .*, e.g. '. .'"):
        event_orders.check_ids(events)
    event_orders.check_ids(_events(tmp_path, [("u", "a", DAY)]))
