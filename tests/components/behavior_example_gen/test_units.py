"""Parts of BehaviorExampleGen that need no pipeline: times, readers, columns, cleaning, splits."""

from __future__ import annotations

import datetime
import gzip
from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from components.behavior_example_gen.cleaning import event_rules
from components.behavior_example_gen.config import DataConfig
from components.behavior_example_gen.quality_record import AskedTask, DataQualityRecord
from components.behavior_example_gen.reading import columns, sources, text_blocks
from components.behavior_example_gen.reading.plain_text import key_text
from components.behavior_example_gen.reading.readers import read
from components.behavior_example_gen.steps import catalogue, quality
from components.behavior_example_gen.steps.plan import Plan, make_plan
from components.behavior_example_gen.steps.reports import PartitionReport
from components.behavior_example_gen.steps.splitting import Timeline, split_events
from components.behavior_example_gen.timestamps import epoch_seconds, read_times
from trainer import raw_history
from trainer.errors import DataError
from trainer.evaluation_config import EvaluationConfig
from trainer.settings import ConfigError

NOON = 1_569_931_200  # 2019-10-01T12:00:00Z


def test_length_buckets_agree() -> None:
    lengths = range(60)
    one_by_one = [raw_history.length_bucket(n) for n in lengths]
    assert one_by_one == list(raw_history.length_buckets(lengths))
    assert raw_history.length_bucket(0) == "0"
    assert raw_history.length_bucket(4) == "1-4"
    assert raw_history.length_bucket(50) == "50+"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2019-10-01T12:00:00Z", NOON),
        ("2019-10-01 12:00:00 UTC", NOON),
        ("2019-10-01 12:00:00", NOON),
        ("2019-10-01T12:00", NOON),
        ("2019-10-01T14:00:00+02:00", NOON),
        ("2019-10-01T14:00:00.250+0200", NOON),
        ("2019-10-01 07:30:00-0430", NOON),
        ("2019-10-01T12:00:00.999999Z", NOON),
        (" 1569931200 ", NOON),
        ("1569931200.7", NOON),
        ("1569931200123", NOON),
        ("1569931200123456", NOON),
        ("2019-10-01", NOON - 12 * 3600),
        ("20191001T120000Z", NOON),
        ("20191001", NOON - 12 * 3600),
        ("2019-13-01", None),
        ("2019-02-30 10:00:00", None),
        ("01/10/2019 12:00", None),
        ("yesterday", None),
        ("", None),
        (None, None),
    ],
)
def test_epoch_seconds_reads_every_form(text: str | None, seconds: int | None) -> None:
    # Beside other forms, so that mixtures are covered too.
    values = pl.Series([text, "2020-01-01T00:00:00Z", "1500000000", "rubbish"], dtype=pl.String)
    assert epoch_seconds(values).to_list() == [seconds, 1_577_836_800, 1_500_000_000, None]


def test_epoch_seconds_of_typed_columns_and_own_format() -> None:
    moment = datetime.datetime(2019, 10, 1, 12)
    assert epoch_seconds(pl.Series([moment, None])).to_list() == [NOON, None]
    zoned = pl.Series([moment]).dt.replace_time_zone("Europe/Berlin")
    assert epoch_seconds(zoned).to_list() == [NOON - 7200]
    assert epoch_seconds(pl.Series([moment.date()])).to_list() == [NOON - 12 * 3600]
    assert epoch_seconds(pl.Series([NOON, NOON * 1000, None])).to_list() == [NOON, NOON, None]
    assert epoch_seconds(pl.Series([float(NOON), float("nan")])).to_list() == [NOON, None]
    own = read_times(pl.Series(["10/1/2019 12:00"]), "%m/%d/%Y %H:%M")
    assert own.seconds.to_list() == [NOON]


def test_ids_stay_as_written() -> None:
    assert key_text(pl.Series([17850.0, None, float("nan")])).to_list() == ["17850", None, None]
    written = ["007", "a,b", 'say "x"', "Ünï-код-商品", " padded ", "", "nan"]
    assert key_text(pl.Series(written)).to_list() == [
        "007", "a,b", 'say "x"', "Ünï-код-商品", "padded", None, None,
    ]  # fmt: skip


def _source(path: Path, **settings: object) -> sources.Source:
    [source] = sources.event_sources([str(path)], DataConfig.from_dict(settings))
    return source


def _rows(path: Path, **settings: object) -> tuple[list[tuple], list[tuple[int, str, str]]]:
    """All rows of a file as (user, item, timestamp, line), and those rejected."""
    rows: list[tuple] = []
    rejected = []
    for batch in read(_source(path, **settings)):
        rows += batch.frame.select("user_id", "item_id", "timestamp", "line").rows()
        rejected += [(row.line, row.reason, row.content) for row in batch.rejected]
    return rows, sorted(rejected)


def test_csv_lines_are_numbered_around_broken_and_blank_ones(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(
        "\n".join(
            [
                "user_id,item_id,timestamp,note",
                "u1,i1,1,plain",
                "u1,i2",
                "",
                'u2,"i,3",2,"two\nlines"',
                "u3,i4,3,a,b,c",
                'u4,"i""5""",4,x',
                "u5,i6,5",
            ]
        )
    )
    rows, rejected = _rows(path)
    assert rows == [("u1", "i1", "1", 2), ("u2", "i,3", "2", 5), ("u4", 'i"5"', "4", 8)]
    assert rejected == [
        (3, "unreadable", "u1,i2"),
        (7, "unreadable", "u3,i4,3,a,b,c"),
        (9, "unreadable", "u5,i6,5"),
    ]


def test_a_stray_quote_costs_its_own_line_only(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    lines = [f"u{n},i{n},{n}" for n in range(2, 9)]
    lines[1] = 'u3,"i3,3'
    lines[4] = 'u6,i6",6'
    path.write_text("\n".join(["user_id,item_id,timestamp", *lines]) + "\n")
    rows, rejected = _rows(path)
    assert [row[0] for row in rows] == ["u2", "u4", "u5", "u6", "u7", "u8"]
    assert [row[3] for row in rows] == [2, 4, 5, 6, 7, 8]
    assert rejected == [(3, "unreadable", 'u3,"i3,3')]


def test_blocks_end_with_lines_whatever_their_size(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    text = "".join(f"{n},x\r\n" for n in range(200))
    path.write_bytes(text.encode())
    expected = text.replace("\r\n", "\n")
    for size in (7, 64, 1000, 1 << 20):
        blocks = list(text_blocks.read_blocks(str(path), "utf-8", size))
        assert b"".join(block.data for block in blocks).decode() == expected
        line = 1
        for block in blocks:
            assert block.data.endswith(b"\n")
            assert block.first_line == line
            line += block.data.count(b"\n")


def test_csv_dialects(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(b"\xef\xbb\xbfuser_id;item_id;timestamp\r\nu1;a,b;1\r\n")
    assert _rows(path)[0] == [("u1", "a,b", "1", 2)]
    path.write_bytes(b"user_id\titem_id\ttimestamp\ru1\ta\t1\r")
    assert _rows(path)[0] == [("u1", "a", "1", 2)]
    path.write_bytes("user_id,item_id,timestamp\nu1,é,1\n".encode("utf-16"))
    assert _rows(path)[0] == [("u1", "é", "1", 2)]
    path.write_bytes("user_id,item_id,timestamp\nu1,é,1\n".encode("cp1252"))
    assert _rows(path, encoding="cp1252")[0] == [("u1", "é", "1", 2)]
    packed = tmp_path / "log.csv.gz"
    packed.write_bytes(gzip.compress(b"user_id,item_id,timestamp\nu1,a,1\n"))
    assert _rows(packed)[0] == [("u1", "a", "1", 2)]


def test_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text(
        '{"user_id": "007", "item_id": 12, "timestamp": 1569931200, "more": {"a": [1]}}\n'
        "\n"
        '{"user_id": 7.0, "item_id": "ü,\\"", "timestamp": "2019-10-01"}\n'
        '{"user_id": "x", "item_\n'
        "[1, 2]\n"
        '{"user_id": "y", "timestamp": null}\n'
    )
    rows, rejected = _rows(path)
    assert rows == [
        ("007", "12", "1569931200", 1),
        ("7", 'ü,"', "2019-10-01", 3),
        ("y", None, None, 6),
    ]
    assert rejected == [(4, "unreadable", '{"user_id": "x", "item_'), (5, "unreadable", "[1, 2]")]


def test_sequence_files(tmp_path: Path) -> None:
    path = tmp_path / "sequences.txt"
    path.write_text("1 10 11\n2\n\n3\t12  10\n")
    rows, rejected = _rows(path)
    assert rows == [
        ("1", "10", "0", 1),
        ("1", "11", "1", 1),
        ("3", "12", "0", 4),
        ("3", "10", "1", 4),
    ]
    assert rejected == [(2, "unreadable", "2")]


def test_aliases_are_recognised_but_never_guessed() -> None:
    def resolve(found: list[str], mapping: dict | None = None) -> columns.Columns:
        return columns.resolve(
            found, mapping or {}, columns.EVENT_ALIASES, columns.REQUIRED_EVENT_COLUMNS, "log.csv",
            "data.columns",
        )  # fmt: skip

    found = resolve(["CustomerID", "StockCode", "InvoiceDate", "UnitPrice", "price"])
    assert found.names["user_id"] == ("CustomerID",)
    assert found.names["price"] == ("price",)
    assert "column 'CustomerID' is taken as user_id" in found.notes
    with pytest.raises(DataError, match="'customer_id' and 'client_id' could all be user_id"):
        resolve(["customer_id", "client_id", "item_id", "timestamp"])
    doubtful = resolve(["user_id", "item_id", "timestamp", "qty", "Quantity"])
    assert "quantity" not in doubtful.names
    assert any("set data.columns.quantity" in note for note in doubtful.notes)
    assert (
        "price" not in resolve(["user_id", "item_id", "timestamp", "price"], {"price": None}).names
    )
    with pytest.raises(DataError, match="no column 'stamp'.*Did you mean 'timestamp'"):
        resolve(["user_id", "item_id", "timestamp"], {"timestamp": "stamp"})


def test_settings_are_checked() -> None:
    with pytest.raises(ConfigError, match="did you mean 'user_id'"):
        DataConfig.from_dict({"columns": {"userid": "x"}})
    with pytest.raises(ConfigError, match="validation_quantile must be below"):
        DataConfig.from_dict({"validation_quantile": 0.95})
    with pytest.raises(ConfigError, match="no such encoding"):
        DataConfig.from_dict({"encoding": "utf-88"})
    with pytest.raises(ConfigError, match="not a regular expression"):
        DataConfig.from_dict({"drop_items": "("})
    config = DataConfig.from_dict({"actions": {1: "view"}, "drop_items": ["POST"]})
    assert DataConfig.from_json(config.to_json()) == config


def _events(rows: list[tuple[str, str, int, float, bool]]) -> pl.DataFrame:
    names = ["user_id", "item_id", "timestamp", "quantity", "returned"]
    frame = pl.DataFrame(rows, schema=names, orient="row")
    return frame.with_columns(action=pl.lit("buy"), order=pl.int_range(pl.len()))


def _at_the_end(events: pl.DataFrame) -> pl.DataFrame:
    return events.filter(pl.col("taken_back") == event_rules.NEVER)


def test_a_return_takes_back_the_latest_equal_purchase() -> None:
    dropped: Counter[str] = Counter()
    events = _events(
        [
            ("u", "a", 1, 2, True),  # nothing to take back yet
            ("u", "a", 2, 2, False),
            ("u", "a", 3, 2, False),  # taken back by the return at 4
            ("u", "a", 4, 2, True),
            ("u", "b", 5, 6, False),  # part of it comes back at 6: stays
            ("u", "b", 6, 1, True),
            ("v", "a", 7, 2, False),
            ("u", "a", 8, 2, True),  # takes back the one at 2
            ("u", "a", 9, 2, False),
        ]
    )
    left = _at_the_end(event_rules.with_returns(events, dropped))
    assert left.select("user_id", "item_id", "timestamp").rows() == [
        ("u", "b", 5),
        ("v", "a", 7),
        ("u", "a", 9),
    ]
    assert dropped == {"cancellation": 4, "cancelled_purchase": 2}


def test_returns_match_brackets_like_a_stack() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        rows = [
            (f"u{rng.integers(2)}", f"i{rng.integers(2)}", n, float(rng.integers(2)),
             bool(rng.random() < 0.4))
            for n in range(40)
        ]  # fmt: skip
        stacks: dict[tuple, list[int]] = {}
        for user, item, n, quantity, returned in rows:
            stack = stacks.setdefault((user, item, quantity), [])
            if not returned:
                stack.append(n)
            elif stack:
                stack.pop()
        left = _at_the_end(event_rules.with_returns(_events(rows), Counter()))
        assert left["timestamp"].to_list() == sorted(n for stack in stacks.values() for n in stack)


def test_a_return_of_the_same_second_comes_after_its_purchase() -> None:
    rows = [("u", "a", 1, 1.0, True), ("u", "a", 1, 1.0, False), ("u", "a", 3, 1.0, False)]
    for order in (rows, [rows[1], rows[0], rows[2]]):
        left = event_rules.with_returns(_events(order), Counter())
        assert left.select("timestamp", "taken_back").rows() == [(1, 1), (3, event_rules.NEVER)]


def _random_log(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    users = np.sort(rng.integers(0, 30, 300))
    users = np.unique(users, return_inverse=True)[1].astype(np.int64)
    times = rng.integers(0, 100, 300)
    order = np.lexsort((times, users))
    return users[order], times[order]


@pytest.mark.parametrize("seed", range(5))
def test_temporal_split_leaks_nothing(seed: int) -> None:
    users, times = _random_log(seed)
    plan = Plan(False, validation_cut=70, test_cut=85)
    splits = split_events(_kept(users, times), plan, np.ones(len(users), bool), 1)
    assert not splits["train"].target.any()
    assert (times[splits["train"].history] < 70).all()
    for name, start, end in (("validation", 70, 85), ("test", 85, 10**9)):
        split = splits[name]
        for user in np.unique(users):
            mine = users == user
            history, target = times[mine & split.history], times[mine & split.target]
            before, window = (
                times[mine & (times < start)],
                times[mine & (times >= start) & (times < end)],
            )
            if len(before) and len(window):
                assert user in split.users
                assert history.tolist() == before.tolist()
                # The first instant of the window, all of it.
                assert target.tolist() == [window.min()] * int((window == window.min()).sum())
            else:
                assert user not in split.users
                assert not len(history)
                assert not len(target)
        cold = [u for u in np.unique(users) if not ((users == u) & (times < start)).any()
                and ((users == u) & (times >= start) & (times < end)).any()]  # fmt: skip
        assert split.cold_starts == len(cold)


def _kept(users: np.ndarray, times: np.ndarray) -> Timeline:
    return Timeline(users, times, np.full(len(users), event_rules.NEVER))


def _letters(text: str, mask: np.ndarray) -> str:
    return "".join(letter for letter, chosen in zip(text, mask, strict=True) if chosen)


def test_leave_one_out_split() -> None:
    users = np.array([0, 0, 0, 0, 1, 1, 2, 2, 2])
    times = np.array([0, 1, 2, 3, 0, 1, 0, 1, 2])
    splits = split_events(_kept(users, times), Plan(True), np.ones(9, bool), 1)
    assert splits["train"].history.tolist() == [1, 1, 0, 0, 1, 1, 1, 0, 0]
    assert splits["validation"].target.tolist() == [0, 0, 1, 0, 0, 0, 0, 1, 0]
    assert splits["validation"].history.tolist() == [1, 1, 0, 0, 0, 0, 1, 0, 0]
    assert splits["test"].target.tolist() == [0, 0, 0, 1, 0, 0, 0, 0, 1]
    assert splits["test"].history.tolist() == [1, 1, 1, 0, 0, 0, 1, 1, 0]


def test_leave_one_out_holds_out_whole_instants() -> None:
    """A receipt is never cut in two; a user of two instants only trains."""
    text = "ABCXYZ" + "DEF"
    users = np.array([0] * 6 + [1] * 3)
    times = np.array([1, 2, 2, 9, 9, 9, 1, 1, 2])
    splits = split_events(_kept(users, times), Plan(True), np.ones(9, bool), 1)
    found = {
        name: (_letters(text, split.history), _letters(text, split.target))
        for name, split in splits.items()
    }
    assert found == {"train": ("ADEF", ""), "validation": ("A", "BC"), "test": ("ABC", "XYZ")}


@pytest.mark.parametrize("plan", [Plan(False, validation_cut=4, test_cut=7), Plan(True)])
def test_a_history_is_what_was_known_when_it_ends(plan: Plan) -> None:
    """A return takes a purchase out of the histories after it, and out of the targets."""
    text = "ABCVWST"
    times = np.array([1, 2, 3, 5, 5, 8, 8])
    returns = {"A": 3, "B": 5, "C": 9, "W": 6, "T": 9}
    taken_back = np.array([returns.get(letter, event_rules.NEVER) for letter in text])
    timeline = Timeline(np.zeros(7, np.int64), times, taken_back)
    if plan.leave_one_out:  # an earlier instant, so that three stay
        text, timeline = (
            "0" + text,
            Timeline(
                np.zeros(8, np.int64),
                np.append(0, times),
                np.append(event_rules.NEVER, taken_back),
            ),
        )
    splits = split_events(timeline, plan, np.ones(len(text), bool), 1)
    found = {
        name: (_letters(text, split.history), _letters(text, split.target))
        for name, split in splits.items()
    }
    first = "0" if plan.leave_one_out else ""
    assert found == {
        "train": (first + "BC", ""),
        "validation": (first + "BC", "V"),
        "test": (first + "CV", "S"),
    }


def test_what_is_not_learnt_stays_in_what_is_judged() -> None:
    """Rare items and users with few training events leave the training histories only."""
    text = "aRbRnR" + "aRb" + "Rcb"
    users = np.array([0] * 6 + [1] * 3 + [2] * 3)
    times = np.array([1, 2, 3, 5, 8, 8, 1, 2, 5, 1, 2, 3])
    learnt = np.array([letter != "R" for letter in text])
    splits = split_events(_kept(users, times), Plan(False, 4, 7), learnt, 2)
    assert _letters(text, splits["train"].history) == "abcb"  # user 1 has one such event
    assert splits["train"].users.tolist() == [0, 2]
    assert _letters(text, splits["validation"].history) == "aRbaR"
    assert _letters(text, splits["validation"].target) == "Rb"
    assert _letters(text, splits["test"].history) == "aRbR"
    assert _letters(text, splits["test"].target) == "nR"


def test_cuts_are_quantiles_of_the_times() -> None:
    times = np.arange(1000, dtype=np.int64) + 1_600_000_000
    report = PartitionReport(times=times, first=int(times[0]), last=int(times[-1]))
    plan = make_plan([report], False, DataConfig(), EvaluationConfig())
    assert plan.validation_cut == times[800]
    assert plan.test_cut == times[900]
    assert (times[-1] - plan.period_start) // plan.period_seconds < 60
    coarse = PartitionReport(times=times // 600 * 600, first=1_599_999_600, last=1_600_000_800)
    with pytest.raises(DataError, match="too few distinct times.*leave_one_out"):
        make_plan([coarse], False, DataConfig(), EvaluationConfig())


def test_headers_that_need_more_than_a_hint(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("user_id;item_id;timestamp\n1;2;2019-10-01\n")
    with pytest.raises(DataError, match=r"1 column\(s\) when line 1 is cut at ','.*data.separator"):
        sources.event_sources([str(path)], DataConfig(separator=","))
    path.write_text("u86,i20,2024-03-31\nu1,i2,2024-03-31\n")
    with pytest.raises(DataError, match="a row of data: put a line of column names on top"):
        sources.event_sources([str(path)], DataConfig())


def test_an_items_file_that_does_not_fit_the_log_is_told() -> None:
    items = pl.DataFrame({"item_id": ["1", "2"]})
    log = pl.DataFrame({"item_id": ["1", "3"]})
    assert catalogue.coverage_note(items, items) is None
    assert catalogue.coverage_note(items.clear(), log) is None
    note = catalogue.coverage_note(items, log)
    assert note == "items: 1 of the log's 2 items are not in the items file"
    note = catalogue.coverage_note(items, log[1:])
    assert note is not None
    assert "not one of the log's 1 items" in note
    assert "the log has '3', the file '1'" in note


def test_the_summary_names_what_was_dropped_and_where_it_is() -> None:
    account = DataQualityRecord.model_construct(
        rows_read=1300, events_kept=1200, users=40, items=9, bad_rows=2,
        dropped={"rare_item": 98, "bad_timestamp": 2}, left_out_of_training={"rare_item": 7},
        notes=["only one user is left"],
        task=AskedTask(asked="next_period", resolved="next_period", period_days=7.0),
    )  # fmt: skip
    assert quality.summary(account, "out/quarantine.csv") == [
        "1,300 rows: 1,200 events of 40 users and 9 items kept",
        "models are asked for the next 7 days (evaluation.task=next_period)",
        "dropped: rare_item 98, bad_timestamp 2",
        "kept, but not trained on: rare_item 7",
        "bad rows: 2, see out/quarantine.csv",
        "note: only one user is left",
    ]
