"""What the ingestion says of an invented log."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np

from components.behavior_example_gen.quality_record import (
    AskedTask,
    DataQualityRecord,
    HeldOut,
    Period,
    SourceFile,
    SplitCuts,
    TieOrder,
)


def write_data_quality(folder: Path, users: int, actions: tuple[str, ...]) -> None:
    start = dt.datetime(2017, 1, 1)
    weeks = [start + dt.timedelta(days=7 * i) for i in range(53)]
    events = [int(26_000 + 3_000 * np.sin(i / 4) + 1_500 * (i % 3)) for i in range(53)]
    rows = sum(events) + 54_430
    DataQualityRecord(
        files=[SourceFile(name="transactions.parquet", rows=rows)],
        rows_read=rows,
        events_kept=sum(events),
        users=users,
        items=12_345,
        trained_items=11_002,
        bad_rows=3,
        bad_fraction=3 / rows,
        dropped={"duplicate": 5_012, "rare_item": 48_211, "unreadable": 3, "cancellation": 1_204},
        left_out_of_training={"rare_item": 7_310},
        columns={
            "user_id": "household_id",
            "item_id": "product_id",
            "timestamp": "transaction_timestamp",
            "price": None,
        },
        actions={name: sum(events) // (i + 1) for i, name in enumerate(actions)},
        first_event="2017-01-01T11:53:26+00:00",
        last_event="2018-01-01T04:01:20+00:00",
        events_per_period=[
            Period(start=week.isoformat() + "+00:00", events=n)
            for week, n in zip(weeks, events, strict=True)
        ],
        events_per_user={
            "min": 2, "p25": 190, "median": 452, "p75": 889, "p99": 2_310, "max": 4_120,
        },
        split=SplitCuts(
            method="temporal",
            validation_cut="2017-10-20T00:00:00+00:00",
            test_cut="2017-11-26T12:30:00+00:00",
            histories={"train": users, "validation": users - 90, "test": users - 120},
        ),
        task=AskedTask(asked="auto", resolved="next_basket", period_days=None),
        held_out={
            name: HeldOut(
                users=users - 90, items=9_876, unknown_items=543, several_items=0.834,
                median_items=7.0,
            )
            for name in ("validation", "test")
        },
        tie_order=TieOrder(rule="drawn", neighbours=987_654, ascending={"item_id": 0.999}),
        times_are_days=False,
        notes=["Times without a zone were read as UTC."],
        quarantine="quarantine.csv",
        repeat_share=0.487,
    ).write(str(folder))  # fmt: skip
    (folder / "quarantine.csv").write_text(
        'file,line,reason,content\na.csv,3,unreadable,x\na.csv,9,unreadable,"y\nz"\n'
        "a.csv,12,bad_timestamp,w\n"
    )
