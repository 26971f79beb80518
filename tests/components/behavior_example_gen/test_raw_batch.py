"""Rows with a sign in a value are taken out of a batch, whatever columns it has."""

import polars as pl

from components.behavior_example_gen.reading.raw_batch import LINE, RawBatch


def batch(**columns):
    rows = len(next(iter(columns.values())))
    frame = pl.DataFrame({**columns, LINE: range(1, rows + 1)})
    # As from a file of several parts.
    frame = pl.concat([frame[:1], frame[1:]], rechunk=False)
    return RawBatch(frame, [], lambda lines: [f"line {line}" for line in lines])


def test_rows_with_the_sign_are_rejected():
    left = batch(user_id=["a", "b\0", None], item_id=["x\0", "y", "z"]).without("\0", "unreadable")
    assert left.frame.rows() == [(None, "z", 3)]
    assert [(row.line, row.reason) for row in left.rejected] == [
        (1, "unreadable"),
        (2, "unreadable"),
    ]


def test_nothing_is_found_in_numbers_and_in_clean_text():
    numbers = batch(user_id=[1, 2], age=[3.0, None])
    assert numbers.without("\0", "unreadable") is numbers
    clean = batch(user_id=[1, 2], age=["19-24", None])
    assert clean.without("\0", "unreadable") is clean
