"""The files that the steps leave for each other, and how a data error leaves a Beam worker."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from tfx.dsl.io import fileio

from components.behavior_example_gen.files import open_reading, open_writing
from trainer.errors import DataError


@dataclass(frozen=True)
class Scratch:
    """Paths below a folder that exists during one execution; local or remote."""

    folder: str

    def create(self) -> None:
        """Makes the folder and those in it."""
        for name in ("spilled", "cleaned", "quarantine"):
            fileio.makedirs(f"{self.folder}/{name}")

    def spilled(self, partition: int, file_number: int) -> str:
        """Events of one partition from one file."""
        return f"{self.folder}/spilled/{partition:05d}-{file_number:05d}.arrow"

    def cleaned(self, partition: int) -> str:
        """Cleaned events of one partition."""
        return f"{self.folder}/cleaned/{partition:05d}.arrow"

    def quarantine(self, file_number: int) -> str:
        """Rejected rows of one file."""
        return f"{self.folder}/quarantine/{file_number:05d}.csv"

    def quarantine_parts(self) -> list[str]:
        """All parts written so far, in the order of the files."""
        return sorted(fileio.glob(f"{self.folder}/quarantine/*.csv"))

    @property
    def known_items(self) -> str:
        """Title and category of each item, from the items files."""
        return f"{self.folder}/known_items.arrow"

    @property
    def kept_items(self) -> str:
        """Items with enough events."""
        return f"{self.folder}/kept_items.arrow"

    @property
    def used_items(self) -> str:
        """How often items occur, by `history_step.USED_ITEM_KEYS`."""
        return f"{self.folder}/used_items.arrow"

    @property
    def attributes(self) -> str:
        """What the events say about items."""
        return f"{self.folder}/attributes.arrow"

    @property
    def reports(self) -> str:
        """Pickled `quality.Reports`."""
        return f"{self.folder}/reports.pickle"

    @property
    def failure(self) -> str:
        """Message of a DataError raised in a worker."""
        return f"{self.folder}/failure.txt"

    @contextlib.contextmanager
    def noting_failures(self) -> Iterator[None]:
        """Keeps the message of a DataError: runners pass errors on as text of a traceback only."""
        try:
            yield
        except DataError as error:
            with open_writing(self.failure) as stream:
                stream.write(str(error).encode())
            raise

    def noted_failure(self) -> str | None:
        """The message kept, if any."""
        if not fileio.exists(self.failure):
            return None
        with open_reading(self.failure) as stream:
            return stream.read().decode()
