"""A file of labels that users have from outside: read and checked, without the users of a log.

It is read twice: before anything is loaded or trained, to tell a fault at once, and by the
clusterer. So nothing heavy is imported here.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

import polars as pl

from components.sequence_clusterer.errors import ClusteringError
from trainer.nearest import nearest

_SEPARATORS = ",;\t|"
_SHOWN = 3
_MISSING = ("", "na", "n/a", "nan", "null")


def read_labels_file(path: str, user_column: str) -> pl.DataFrame:
    """The file as a table.

    Args:
        path: CSV or Parquet file (by its content), held in memory as a whole; one row a user.
        user_column: its column of user ids; every other column is one of labels.

    Returns:
        One row a user; the ids as text.

    Raises:
        ClusteringError: the file is missing, unreadable, has no such column, no labels or no users,
            or gives one user two rows.
    """
    frame = _read(path)
    if user_column not in frame.columns:
        near = nearest(user_column, frame.columns, cutoff=0.6)
        meant = f"did you mean {near!r}? " if near else ""
        raise ClusteringError(
            f"labels file {path}: no column {user_column!r} (it has: {', '.join(frame.columns)}); "
            f"{meant}set clustering.labels_user_column to the column of user ids"
        )
    if len(frame.columns) == 1:
        raise ClusteringError(
            f"labels file {path}: no column beside {user_column!r}; add one column a label"
        )
    if is_nested(frame[user_column]):
        raise ClusteringError(f"labels file {path}: column {user_column!r} holds lists or objects")
    frame = frame.with_columns(as_text(frame[user_column])).drop_nulls(user_column)
    if frame.is_empty():
        raise ClusteringError(f"labels file {path}: no row has a user in {user_column!r}")
    _check_once(frame[user_column], path)
    return frame


def no_common_user(path: str, labels: pl.Series, others: str) -> ClusteringError:
    """The error of a file whose users are strangers.

    Args:
        path: the file.
        labels: its user ids, named as its column.
        others: who they are not among.
    """
    examples = ", ".join(map(repr, labels.head(_SHOWN).to_list()))
    return ClusteringError(
        f"labels file {path}: none of its {len(labels):,} users ({labels.name}: {examples}) is "
        f"among {others}; give the ids exactly as the event log has them, in the column that "
        "clustering.labels_user_column names, or leave clustering.labels out"
    )


def _read(path: str) -> pl.DataFrame:
    """The whole file; CSV as text, so that ids stay as they are written."""
    content = _content(path)
    try:
        if content.startswith(b"PAR1"):
            return pl.read_parquet(io.BytesIO(content))
        header = content.split(b"\n", 1)[0].decode("utf-8-sig")
        separator = max(_SEPARATORS, key=header.count)
        _check_names(next(csv.reader([header], delimiter=separator), []), path)
        frame = pl.read_csv(io.BytesIO(content), separator=separator, infer_schema=False)
    except (pl.exceptions.PolarsError, UnicodeDecodeError) as error:
        reason = str(error).split("\n", 1)[0]
        raise ClusteringError(
            f"labels file {path}: neither readable CSV (UTF-8) nor Parquet ({reason}); give a "
            "table with a header, one row a user"
        ) from None
    _check_lines(frame, path)
    return frame


def _content(path: str) -> bytes:
    try:
        if "://" not in path:
            return Path(path).read_bytes()
        # Loads TensorFlow, which only a task on a cluster has to do for a file.
        from tfx.dsl.io import fileio

        if not fileio.exists(path):
            raise FileNotFoundError(path)
        with fileio.open(path, "rb") as file:
            return bytes(file.read())
    except (FileNotFoundError, IsADirectoryError):
        reason = "there is no such file"
    except OSError as error:
        reason = f"it cannot be read ({error.strerror})"
    raise ClusteringError(
        f"labels file {path}: {reason}; correct clustering.labels or leave it out"
    )


def _check_names(names: list[str], path: str) -> None:
    """Of two columns with one name it is unknown which is meant; Parquet has none such."""
    for number, name in enumerate(names):
        if name in names[:number]:
            raise ClusteringError(f"labels file {path}: two columns are named {name!r}")


def _check_lines(frame: pl.DataFrame, path: str) -> None:
    """No label has a line break; two quotes that are never closed swallow the rows between them."""
    for name in frame.columns:
        broken = frame[name].filter(frame[name].str.contains("\n", literal=True))
        if len(broken):
            beginning = broken[0].split("\n", 1)[0]
            raise ClusteringError(
                f"labels file {path}: the value {beginning!r} of column {name!r} goes on in the "
                "next line; close or remove the quote there"
            )


def is_nested(values: pl.Series) -> bool:
    """Whether a column holds lists, objects or bytes, which are neither ids nor labels."""
    return values.dtype.is_nested() or values.dtype in (pl.Binary, pl.Object)


def as_text(values: pl.Series) -> pl.Series:
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
