"""Labels of users that come from outside: read from a file and joined to the clustered users.

The clusterer keeps hashes of user ids only, so the file's ids are hashed in the same way.
"""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import polars as pl

from components.sequence_clusterer.meaning.labels_file import (
    as_text,
    is_nested,
    no_common_user,
    read_labels_file,
)
from components.sequence_clusterer.sample.fit_sample import user_hash

# A column with more different values is an identifier or a measurement, not a label.
_MOST_VALUES = 100


@dataclasses.dataclass(frozen=True)
class OutsideLabels:
    """Labels of the clustered users.

    Attributes:
        columns: name to labels [n] as text in the order of the users, null where unknown.
        skipped: name of a column that is no label to the reason.
        users_in_file: users that the file has.
        matched: those of them who are among the clustered users.
    """

    columns: dict[str, pl.Series]
    skipped: dict[str, str]
    users_in_file: int
    matched: int


def read_outside_labels(path: str, user_column: str, users: np.ndarray, seed: int) -> OutsideLabels:
    """Reads a labels file and joins it to users.

    Args:
        path: CSV or Parquet file (by its content), held in memory as a whole; one row a user.
        user_column: its column of user ids; every other column is one of labels.
        users: int64 [n], `fit_sample.user_hash` of the users to label.
        seed: the seed of those hashes.

    Raises:
        ClusteringError: the file cannot be used (`read_labels_file`), or has no user in common with
            the log.
    """
    frame = read_labels_file(path, user_column)
    hashes = [user_hash(user.encode(), seed) for user in frame[user_column].to_list()]
    joined = pl.DataFrame({"hash": users}).join(
        frame.with_columns(hash=pl.Series(hashes, dtype=pl.Int64), in_file=True),
        on="hash",
        how="left",
        maintain_order="left",
    )
    matched = int(joined["in_file"].count())
    if not matched:
        raise no_common_user(path, frame[user_column], f"the {len(users):,} clustered users")
    columns, skipped = {}, {}
    for name in frame.columns:
        if name == user_column:
            continue
        if is_nested(joined[name]):
            skipped[name] = "it holds lists or objects: not a label"
            continue
        values = as_text(joined[name])
        count = values.drop_nulls().n_unique()
        if count < 2:
            skipped[name] = "the clustered users do not differ in it"
        elif count > _MOST_VALUES:
            skipped[name] = f"{count:,} different values, more than {_MOST_VALUES}: not a label"
        else:
            columns[name] = values
    return OutsideLabels(columns, skipped, len(frame), matched)


def natural_order(values: list[str]) -> list[str]:
    """Sorted so that numbers inside the values count as numbers: "9-17" before "18-24"."""
    return sorted(values, key=lambda value: [_natural(part) for part in _parts(value)])


def _parts(value: str) -> list[str]:
    return [part for part in re.split(r"(\d+)", value) if part]


def _natural(part: str) -> tuple[bool, int, str]:
    return (not part.isdecimal(), int(part) if part.isdecimal() else 0, part)
