"""BehaviorExampleGen as a whole: outputs, cleaning, splits, and what bad input gets."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import tensorflow_data_validation as tfdv
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from components.behavior_example_gen.component import BehaviorExampleGen
from components.behavior_example_gen.steps import beam_pipeline
from tests.helpers.behavior_example_gen_runs import (
    Ingested,
    ingest,
    read_quarantine,
    shop,
    table,
)
from tests.helpers.repository import REPOSITORY, SHARED_DATA
from trainer.errors import DataError

pytestmark = pytest.mark.slow

SCHEMA = REPOSITORY / "schema" / "history.pbtxt"
QUALITY_KEYS = {
    "files", "rows_read", "events_kept", "users", "items", "bad_rows", "bad_fraction", "dropped",
    "columns", "actions", "first_event", "last_event", "events_per_period", "events_per_user",
    "split", "notes", "quarantine", "repeat_share", "trained_items", "left_out_of_training",
    "held_out", "task", "tie_order", "times_are_days",
}  # fmt: skip


def _epoch(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=timezone.utc).timestamp())


def test_a_log_with_everything(tmp_path: Path) -> None:
    rows = []
    for number, (user, item, moment) in enumerate(shop()):
        action = "1" if number % 2 else "2"
        rows.append([user, item, moment, action, f"s{number // 10}", 2.5, 3, ""])
    rows[0][5] = rows[1][6] = ""  # an unknown price, an unknown quantity
    rows[7][7] = "special"
    header = "user_id,item_id,timestamp,action,session_id,price,quantity,category"
    result = ingest(
        tmp_path,
        table(rows, header),
        "item_id,text,category,price\ni0,Zero,even,9.5\ni1,One,odd,\ni9,Nine,odd,1\ni0,Again,x,1\n",
        actions={"1": "view", "2": "purchase"},
    )
    quality = result.quality
    assert set(quality) == QUALITY_KEYS
    assert quality["rows_read"] == quality["events_kept"] == 120
    assert (quality["users"], quality["items"], quality["bad_rows"]) == (6, 5, 0)
    assert quality["actions"] == {"purchase": 60, "view": 60}
    assert quality["split"]["validation_cut"] == "2020-01-17T10:00:00Z"
    assert quality["split"]["test_cut"] == "2020-01-19T10:00:00Z"
    assert quality["split"]["histories"] == {"train": 6, "validation": 6, "test": 6}
    assert quality["first_event"] == "2020-01-01T10:00:00Z"
    assert sum(period["events"] for period in quality["events_per_period"]) == 120
    assert len(quality["events_per_period"]) <= 60
    assert quality["events_per_user"]["median"] == 20
    assert quality["repeat_share"] == pytest.approx((120 - 30) / (120 - 6))

    train = result.history("train", "u0")
    assert train is not None
    assert len(train["item_ids"]) == 16
    assert train["item_ids"][:3] == ["i0", "i1", "i2"]
    assert train["timestamps"][0] == _epoch("2020-01-01T10:00:00")
    assert train["prices"][:2] == [-1.0, 2.5]
    assert train["target_item_ids"] == []
    assert train["first_target"] == [0]
    assert train["history_length"] == ["10-19"]
    # The event's category, else that of the items file, else unknown.
    assert train["categories"][:3] == ["even", "odd", ""]
    user_1 = result.history("train", "u1")
    assert user_1 is not None
    assert user_1["categories"][1] == "special"
    assert user_1["quantities"][:2] == [-1.0, 3.0]
    test = result.history("test", "u0")
    assert test is not None
    assert len(test["item_ids"]) == 18
    assert test["first_target"] == [18]
    assert test["target_item_ids"] == ["i3"]
    assert result.items.rows()[:3] == [
        ("i0", "Zero", "even", "", 9.5),
        ("i1", "One", "odd", "", None),
        ("i9", "Nine", "odd", "", 1.0),
    ]
    # i2's category comes from its one event that says so; i3 and i4 are known by id only.
    assert result.items["item_id"].to_list()[3:] == ["i2", "i3", "i4"]
    assert result.items["category"].to_list()[3:] == ["special", "", ""]
    assert any("further rows of an item_id" in note for note in quality["notes"])


def test_histories_fit_the_curated_schema(tmp_path: Path) -> None:
    """TFX's own statistics and validation find nothing to object to, in any split."""

    schema = text_format.Parse(SCHEMA.read_text(), schema_pb2.Schema())
    result = ingest(tmp_path, table(shop(), "user_id,item_id,timestamp"))
    for split in ("train", "validation", "test"):
        files = f"{result.folder}/examples/1/Split-{split}/*"
        statistics = tfdv.generate_statistics_from_tfrecord(files)
        anomalies = tfdv.validate_statistics(statistics, schema)
        assert not anomalies.anomaly_info, (split, anomalies)
    features = set(result.splits["train"][0])
    assert features <= {feature.name for feature in schema.feature}
    assert not features & {"prices", "quantities", "categories", "session_ids"}


def test_cleaning_is_counted_by_reason(tmp_path: Path) -> None:
    log = shop()
    rows = [[user, item, moment, 1] for user, item, moment in log]
    rows += [rows[3], rows[3]]  # duplicates
    rows += [["u0", "i1", "2020-01-03T09:00:00", 7], ["u0", "i1", "2020-01-04T09:00:00", -7]]
    rows += [["bot", f"i{n % 5}", "2020-01-05T00:00:00", n] for n in range(31)]
    rows += [["u1", "POST", "2020-01-05T00:00:00", 1]] * 5
    rows += [["u2", "rare", "2020-01-05T00:00:00", 1], ["once", "i1", "2020-01-05T00:00:00", 1]]
    # Enough events, but too few of them before the cut.
    rows += [["u3", "late", f"2020-01-20T11:0{n}:00", 1] for n in range(6)]
    result = ingest(
        tmp_path,
        table(rows, "user_id,item_id,timestamp,quantity"),
        max_events_per_user_per_day=30,
        drop_items="POST|M",
    )
    assert result.quality["dropped"] == {
        "duplicate": 2,
        "cancellation": 1,
        "cancelled_purchase": 1,
        "bot_user": 31,
        "dropped_item": 5,
        "rare_user": 1,
    }
    # "rare" stays in what is judged of u2, "late" in the log after the cuts.
    assert result.quality["left_out_of_training"] == {"rare_item": 1}
    assert result.quality["events_kept"] == 127
    assert result.quality["bad_rows"] == 0
    assert any("1 bot-like users" in note for note in result.quality["notes"])


def test_targets_are_the_basket_of_the_next_instant(tmp_path: Path) -> None:
    rows = shop()
    rows += [["u0", "i1", "2020-01-20T10:00:00"], ["u0", "i0", "2020-01-20T10:00:00"]]
    rows += [["u9", "i1", "2020-01-20T12:00:00"], ["u9", "i2", "2020-01-20T13:00:00"]]
    result = ingest(tmp_path, table(rows), tie_order="log")
    test = result.history("test", "u0")
    assert test is not None
    assert test["target_item_ids"] == ["i4", "i1", "i0"]  # log order within the instant
    assert max(test["timestamps"]) < _epoch(result.quality["split"]["test_cut"][:-1])
    assert result.history("test", "u9") is None
    assert any("cold_start_targets: 1 user has a test target" in n for n in result.quality["notes"])


def test_no_history_reaches_its_target(tmp_path: Path) -> None:
    """On random logs with ties: history < target >= cut, and every earlier event is there."""
    rng = np.random.default_rng(3)
    start = _epoch("2020-01-01T00:00:00")
    rows = [[f"u{rng.integers(40)}", f"i{rng.integers(8)}", start + int(t) * 60]
            for t in rng.integers(0, 400, 3000)]  # fmt: skip
    result = ingest(tmp_path, table(rows), tie_order="log")
    log: dict[str, list[tuple[int, str]]] = {}
    for user, item, moment in dict.fromkeys(map(tuple, rows)):
        log.setdefault(user, []).append((moment, item))
    cuts = {
        name: _epoch(result.quality["split"][f"{name}_cut"][:-1]) for name in ("validation", "test")
    }
    for split, cut in cuts.items():
        assert result.splits[split]
        for history in result.splits[split]:
            events = sorted(log[history["user_id"][0]], key=lambda event: event[0])
            assert history["timestamps"] == [moment for moment, _ in events if moment < cut]
            target_time = min(moment for moment, _ in events if moment >= cut)
            expected = [item for moment, item in events if moment == target_time]
            assert history["target_item_ids"] == expected
    for history in result.splits["train"]:
        assert max(history["timestamps"]) < cuts["validation"]


def test_sequence_file_is_left_one_out(tmp_path: Path) -> None:
    path = tmp_path / "sequences.txt"
    path.write_text("1 a b\n2 b a\n3 c c b a c\n1 c d\n")  # user 1 on two lines
    result = ingest(tmp_path, path, "item_id,text\na,Apple\n", min_item_events=1)
    assert result.quality["split"] == {
        "method": "leave_one_out",
        "validation_cut": None,
        "test_cut": None,
        "histories": {"train": 3, "validation": 2, "test": 2},
    }
    assert result.quality["first_event"] is None
    assert "without times the split is leave_one_out" in result.quality["notes"]
    expected = {
        "train": {"1": (["a", "b"], []), "2": (["b", "a"], []), "3": (["c", "c", "b"], [])},
        "validation": {"1": (["a", "b"], ["c"]), "3": (["c", "c", "b"], ["a"])},
        "test": {"1": (["a", "b", "c"], ["d"]), "3": (["c", "c", "b", "a"], ["c"])},
    }
    for split, users in expected.items():
        found = {
            h["user_id"][0]: (h["item_ids"], h["target_item_ids"]) for h in result.splits[split]
        }
        assert found == users
    assert result.splits["test"][0]["timestamps"] == [0, 1, 2]


def _contents(result: Ingested) -> dict[str, object]:
    """Everything written. Examples decoded: the order of features inside one is not fixed."""
    files = sorted(path for path in result.folder.rglob("*") if path.is_file())
    return {
        "names": [str(path.relative_to(result.folder)) for path in files],
        "files": [path.read_bytes() for path in files if "examples" not in path.parts],
        "splits": [result.splits[split] for split in ("train", "validation", "test")],
    }


def test_same_input_same_output_and_partitions_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = shop(users=20)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    files = []
    for number in range(3):  # several files, of several formats, one glob
        part = table(rows[number::3])
        files.append(tmp_path / f"part{number}.csv")
        files[-1].write_text(part)
    pl.read_csv(files[1], infer_schema=False).write_parquet(tmp_path / "part1.parquet")
    files[1].unlink()
    log = [str(tmp_path / "part*.csv"), tmp_path / "part1.parquet"]
    first = ingest(tmp_path / "a", log)
    monkeypatch.setattr(beam_pipeline, "_EVENTS_PER_PARTITION", 100)
    several = ingest(tmp_path / "b", log)
    contents = _contents(several)
    assert contents == _contents(ingest(tmp_path / "b", log))
    names = [path.name for path in (several.folder / "examples/1/Split-train").iterdir()]
    assert len(names) > 2
    assert min(names) == f"data_tfrecord-00000-of-{len(names):05d}.gz"
    assert first.quality == several.quality
    for split in ("train", "validation", "test"):
        for history in several.splits[split]:
            assert first.history(split, history["user_id"][0]) == history


# What bad input gets.


def _fails(tmp_path: Path, events: str | Path | list, **settings: object) -> str:
    with pytest.raises(DataError) as caught:
        ingest(tmp_path, events, **settings)
    message = str(caught.value)
    assert "Traceback" not in message
    assert "while running" not in message
    return message


def test_files_missing_empty_or_of_unknown_form(tmp_path: Path) -> None:
    assert "event file not found" in _fails(tmp_path, ["/nowhere/log.csv"])
    assert "events.csv: the file is empty" in _fails(tmp_path, "")
    assert "no rows in events.csv" in _fails(tmp_path, "user_id,item_id,timestamp\n")
    with pytest.raises(DataError, match="items file not found"):
        ingest(tmp_path, table(shop()), Path("/nowhere/items.csv"))
    fake = tmp_path / "log.parquet"
    fake.write_text("not parquet")
    assert "not a readable Parquet file" in _fails(tmp_path, fake)
    array = tmp_path / "log.json"
    array.write_text('[{"user_id": 1}]')
    assert "JSON Lines has one object on each line" in _fails(tmp_path, array)
    unknown = tmp_path / "log.dat"
    unknown.write_text("whatever\n")
    assert "set data.format" in _fails(tmp_path, unknown)


def test_header_without_required_columns_names_the_nearest(tmp_path: Path) -> None:
    message = _fails(tmp_path, table(shop(), "usr_id,item_id,when"))
    assert "no column for user_id, timestamp" in message
    assert "Columns found: usr_id, item_id, when" in message
    assert "Nearest to user_id is 'usr_id': set data.columns.user_id=usr_id" in message
    assert "Did you mean 'when'" in _fails(
        tmp_path, table(shop(), "user_id,item_id,when"), columns={"timestamp": "wen"}
    )


def test_wrong_encoding_names_the_setting(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    rows = [[f"Müller {user}", item, moment] for user, item, moment in shop()]
    path.write_bytes(table(rows).encode("latin-1"))
    message = _fails(tmp_path, path)
    assert "not UTF-8" in message
    assert "Set data.encoding" in message
    assert ingest(tmp_path, path, encoding="latin-1").quality["users"] == 6
    assert "set data.encoding" in _fails(tmp_path, path, encoding="ascii")


def test_mixed_time_formats_and_future_times(tmp_path: Path) -> None:
    rows = shop()
    for number, row in enumerate(rows):
        moment = datetime.fromisoformat(row[2]).replace(tzinfo=timezone.utc)
        row[2] = [
            moment.strftime("%Y-%m-%d %H:%M:%S UTC"),
            int(moment.timestamp()),
            int(moment.timestamp() * 1000),
            (moment + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%S+02:00"),
        ][number % 4]
    rows += [["u0", "i1", "2199-01-01T00:00:00Z"], ["u0", "i1", "1970-01-01"], ["u0", "i1", "soon"]]
    result = ingest(tmp_path, table(rows))
    assert result.quality["dropped"] == {"absurd_timestamp": 2, "bad_timestamp": 1}
    assert result.quality["bad_rows"] == 3
    assert result.quality["first_event"] == "2020-01-01T10:00:00Z"
    assert result.quality["last_event"] == "2020-01-20T10:05:00Z"
    assert [(row["line"], row["reason"]) for row in result.quarantine] == [
        ("122", "absurd_timestamp"),
        ("123", "absurd_timestamp"),
        ("124", "bad_timestamp"),
    ]


def test_odd_ids_survive(tmp_path: Path) -> None:
    odd = {"u0": '"0007"', "u1": '"a,b"', "u2": '"say ""x"""', "u3": "Ünï-商品", "u4": "1e5"}
    rows = [[odd.get(user, user), f"0{item[1:]}", moment] for user, item, moment in shop()]
    result = ingest(tmp_path, table(rows))
    users = {history["user_id"][0] for history in result.splits["train"]}
    assert users == {"0007", "a,b", 'say "x"', "Ünï-商品", "1e5", "u5"}
    assert set(result.items["item_id"]) == {"00", "01", "02", "03", "04"}
    typed = tmp_path / "log.parquet"
    frame = pl.DataFrame(shop(), schema=["user_id", "item_id", "timestamp"], orient="row")
    frame.select(
        pl.col("user_id").str.slice(1).cast(pl.Float64) + 17850,
        pl.col("item_id").cast(pl.Categorical),
        pl.col("timestamp").str.to_datetime(),
    ).write_parquet(typed)
    result = ingest(tmp_path, typed)
    assert {h["user_id"][0] for h in result.splits["train"]} == {str(17850 + n) for n in range(6)}


def test_one_user_one_item_nobody_twice_one_second(tmp_path: Path) -> None:
    alone = ingest(tmp_path, table(shop(users=1, days=30)))
    assert alone.quality["users"] == 1
    assert any("only one user" in note for note in alone.quality["notes"])
    one_item = [[user, "i0", moment] for user, _, moment in shop()]
    assert "only one item is left" in _fails(tmp_path, table(one_item))
    once = [[f"v{number}", item, moment] for number, (_, item, moment) in enumerate(shop())]
    assert "no user has 2 events or more" in _fails(tmp_path, table(once))
    same = [[user, item, "2020-01-01T00:00:00Z"] for user, item, _ in shop()]
    message = _fails(tmp_path, table(same))
    assert "all events are at 2020-01-01T00:00:00Z" in message
    assert "data.split=leave_one_out" in message
    rare = [[user, f"{item}-{moment}", moment] for user, item, moment in shop()]
    message = _fails(tmp_path, table(rare))
    assert "no events are left after cleaning" in message
    # The others are after the cut: in no training history for another reason.
    assert "rare_item 96" in message
    strangers = [[f"{user}-{moment[8:10] > '16'}", item, moment] for user, item, moment in shop()]
    message = _fails(tmp_path, table(strangers))
    assert "no history for the validation split" in message


def test_sequences_too_short_for_leave_one_out(tmp_path: Path) -> None:
    path = tmp_path / "sequences.txt"
    path.write_text("1 a b\n2 b a\n")
    message = _fails(tmp_path, path, min_item_events=1)
    assert "no history for the validation and test split" in message
    assert "data.min_item_events (now 1), or, for a log with times" in message


def test_a_first_line_that_is_no_header_is_not_shown_in_full(tmp_path: Path) -> None:
    line = ",".join([f"column {number}" for number in range(99)] + ["x" * 500])
    message = _fails(tmp_path, f"{line}\n{line}\n")
    assert "column 29 and 70 more" in message
    assert "column 30" not in message
    assert len(message) < 1000


def test_too_many_bad_rows_stop_the_run_and_stay_to_be_read(tmp_path: Path) -> None:
    rows = [["", item, moment] if n % 3 == 0 else [user, item, moment]
            for n, (user, item, moment) in enumerate(shop())]  # fmt: skip
    message = _fails(tmp_path, table(rows) + "cut off")
    assert "33.88% of the 121 rows cannot be used" in message
    assert "missing_user_id 40, e.g. events.csv line 2: ,i0,2020-01-01T10:00:00" in message
    assert "unreadable 1, e.g. events.csv line 122: cut off" in message
    path = tmp_path / "out/data_quality/rejected-1/quarantine.csv"
    assert str(path) in message
    quarantined = read_quarantine(path)
    assert len(quarantined) == 41
    assert quarantined[-1] == {
        "file": "events.csv",
        "line": "122",
        "reason": "unreadable",
        "content": "cut off",
    }
    assert not (tmp_path / "out/examples/1/scratch").exists()
    assert ingest(tmp_path, table(rows), max_bad_fraction=0.5).quality["bad_rows"] == 40


# Real shops.

real = pytest.mark.skipif(not SHARED_DATA.exists(), reason="needs the data beside the checkout")


@real
def test_rees46_loses_its_cut_off_last_line_only(tmp_path: Path) -> None:
    result = ingest(tmp_path, SHARED_DATA / "rees46/events.csv")
    assert [(row["line"], row["reason"]) for row in result.quarantine] == [("17436", "unreadable")]
    assert result.quarantine[0]["content"].startswith("2019-10-01 02:50:00 UTC,view,10900305")
    assert result.quality["bad_rows"] == 1
    assert set(result.quality["actions"]) == {"view", "cart", "purchase"}
    assert result.quality["columns"]["category"] == "category_code"


@real
def test_online_retail_counts(tmp_path: Path) -> None:
    result = ingest(
        tmp_path,
        SHARED_DATA / "online_retail/transactions.parquet",
        columns={"title": "Description"},
        cancellation={"column": "InvoiceNo"},
        max_bad_fraction=0.3,
    )
    assert result.quality["rows_read"] == 541_909
    assert result.quality["dropped"]["missing_user_id"] == 135_080
    raw = pl.read_parquet(SHARED_DATA / "online_retail/transactions.parquet")
    named = raw.filter(pl.col("CustomerID").is_not_null()).select(
        "InvoiceNo",
        "StockCode",
        "Description",
        "Quantity",
        "InvoiceDate",
        "UnitPrice",
        "CustomerID",
    )
    assert result.quality["dropped"]["duplicate"] == named.height - named.unique().height
    returns = named.unique().filter(pl.col("InvoiceNo").str.starts_with("C"))
    assert result.quality["dropped"]["cancellation"] == returns.height
    assert 0 < result.quality["dropped"]["cancelled_purchase"] < returns.height
    titles = dict(result.items.select("item_id", "title").rows())
    assert titles["85123A"] == "WHITE HANGING HEART T-LIGHT HOLDER"
    assert all(user.isdigit() for h in result.splits["train"] for user in h["user_id"])


@real
def test_beauty_equals_its_file(tmp_path: Path) -> None:
    path = SHARED_DATA / "beauty/sequences.txt"
    result = ingest(tmp_path, path, SHARED_DATA / "beauty/items.csv", min_item_events=1)
    assert (result.quality["users"], result.quality["items"]) == (22_363, 12_101)
    assert result.items.height == 12_101
    sequences = {line.split()[0]: line.split()[1:] for line in path.read_text().splitlines()}
    for split, held_out in (("train", 2), ("validation", 2), ("test", 1)):
        assert len(result.splits[split]) == len(sequences)
        for history in result.splits[split][::97]:
            sequence = sequences[history["user_id"][0]]
            assert history["item_ids"] == sequence[:-held_out]
            target = [] if split == "train" else [sequence[-held_out]]
            assert history["target_item_ids"] == target


def test_the_component_takes_plain_types(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(table(shop()))
    node = BehaviorExampleGen([str(path)], input_fingerprint="given", code_version="c")
    assert set(node.outputs) == {"examples", "data_quality", "items"}
    assert json.loads(node.exec_properties["input_files"]) == [str(path)]
    assert node.exec_properties["code_version"] == "c"
    assert node.exec_properties["input_fingerprint"] == "given"
