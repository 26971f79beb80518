"""One way to read every format."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from components.behavior_example_gen.reading.csv_reader import read_csv
from components.behavior_example_gen.reading.jsonl_reader import read_jsonl
from components.behavior_example_gen.reading.parquet_reader import read_parquet
from components.behavior_example_gen.reading.raw_batch import RawBatch
from components.behavior_example_gen.reading.sequence_reader import read_sequences
from components.behavior_example_gen.reading.sources import Source

_READERS: Mapping[str, Callable[[Source], Iterator[RawBatch]]] = {
    "csv": read_csv,
    "jsonl": read_jsonl,
    "parquet": read_parquet,
    "sequences": read_sequences,
}


def read(source: Source) -> Iterator[RawBatch]:
    """Yields the file in batches, in order; rows with a zero byte in a value are rejected.

    Raises:
        DataError: the file turns out not to be what it seemed.
    """
    for batch in _READERS[source.format](source):
        yield batch.without("\x00", "unreadable")
