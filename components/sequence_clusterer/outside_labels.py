"""Labels of users that come from outside: read from a file and joined to the clustered users.

The clusterer keeps hashes of user ids only, so the file's ids are hashed in the same way.
"""

from __future__ import annotations

import dataclasses
import difflib
import io
import re

import numpy as np
import polars as pl
from tfx.dsl.io import fileio

from components.sequence_clusterer.embedding import ClusteringError
from components.sequence_clusterer.fit_sample import user_hash

# A column with more different values is an identifier or a measurement, not a label.
_MOST_VALUES = 100
_SEPARATORS = ",;\t|"
_SHOWN = 3
_MISSING = ("", "na", "n/a", "nan", "null")


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
        ClusteringError: the file is missing, unreadable, has no such column or no labels, gives one
            user two rows, or has no user in common with the log.
    """
    frame = _read(path)
    if user_column not in frame.columns:
        near = difflib.get_close_matches(user_column, frame.columns, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise ClusteringError(
            f"labels file {path}: no column {user_column!r} (it has: {', '.join(frame.columns)}); "
            f"{hint}set clustering.labels_user_column to the column of user ids"
        )
    frame = frame.with_columns(_as_text(frame[user_column])).drop_nulls(user_column)
    _check_once(frame[user_column], path)
    hashes = [user_hash(user.encode(), seed) for user in frame[user_column].to_list()]
    joined = pl.DataFrame({"hash": users}).join(
        frame.with_columns(hash=pl.Series(hashes, dtype=pl.Int64), in_file=True),
        on="hash",
        how="left",
        maintain_order="left",
    )
    matched = int(joined["in_file"].count())
    if not matched:
        examples = ", ".join(map(repr, frame[user_column].head(_SHOWN).to_list())) or "none at all"
        raise ClusteringError(
            f"labels file {path}: none of its {len(frame):,} users ({user_column}: {examples}) is "
            f"among the {len(users):,} clustered users; give the ids exactly as the event log has "
            "them, in the column that clustering.labels_user_column names, or leave "
            "clustering.labels out"
        )
    columns, skipped = {}, {}
    for name in frame.columns:
        if name == user_column:
            continue
        values = _as_text(joined[name])
        count = values.drop_nulls().n_unique()
        if count < 2:
            skipped[name] = "the clustered users do not differ in it"
        elif count > _MOST_VALUES:
            skipped[name] = f"{count:,} different values, more than {_MOST_VALUES}: not a label"
        else:
            columns[name] = values
    if not columns and not skipped:
        raise ClusteringError(
            f"labels file {path}: no column beside {user_column!r}; add one column a label"
        )
    return OutsideLabels(columns, skipped, len(frame), matched)


def natural_order(values: list[str]) -> list[str]:
    """Sorted so that numbers inside the values count as numbers: "9-17" before "18-24"."""
    return sorted(values, key=lambda value: [_natural(part) for part in _parts(value)])


def _parts(value: str) -> list[str]:
    return [part for part in re.split(r"(\d+)", value) if part]


def _natural(part: str) -> tuple[bool, int, str]:
    return (not part.isdecimal(), int(part) if part.isdecimal() else 0, part)


def _read(path: str) -> pl.DataFrame:
    """The whole file; CSV as text, so that ids stay as they are written."""
    if not fileio.exists(path) or fileio.isdir(path):
        raise ClusteringError(
            f"labels file {path}: there is no such file; correct clustering.labels or leave it out"
        )
    with fileio.open(path, "rb") as file:
        content = file.read()
    try:
        if content.startswith(b"PAR1"):
            return pl.read_parquet(io.BytesIO(content))
        header = content.split(b"\n", 1)[0].decode("utf-8-sig")
        separator = max(_SEPARATORS, key=header.count)
        return pl.read_csv(io.BytesIO(content), separator=separator, infer_schema=False)
    except (pl.exceptions.PolarsError, UnicodeDecodeError) as error:
        reason = str(error).split("\n", 1)[0]
        raise ClusteringError(
            f"labels file {path}: neither readable CSV (UTF-8) nor Parquet ({reason}); give a "
            "table with a header, one row a user"
        ) from None


def _as_text(values: pl.Series) -> pl.Series:
    """Text as the log's reader makes it of ids: trimmed, whole floats as integers, null if none."""
    if values.dtype.is_float():
        whole = values.fill_nan(None).cast(pl.Int64, strict=False)
        if ((whole == values) | values.is_null() | values.is_nan()).all():
            values = whole
    text = values.cast(pl.String).str.strip_chars()
    return text.set(text.str.to_lowercase().is_in(_MISSING), None)


def _check_once(ids: pl.Series, path: str) -> None:
    """Two rows of one user could not both be right."""
    twice = ids.filter(ids.is_duplicated())
    if len(twice):
        raise ClusteringError(
            f"labels file {path}: user {twice[0]!r} has more than one row "
            f"({twice.n_unique():,} users have); keep one row a user"
        )
