"""What the JSON files of artifacts share: one class a file, which writes and reads it.

The component that writes a file owns its class; whoever reads the file imports that class. A field
that is renamed then fails in mypy or in a test, and not as a missing part of a page.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, ClassVar, TypeVar

import pydantic

from trainer.errors import DataError

R = TypeVar("R", bound="RecordFile")


class UnreadableArtifactError(DataError):
    """A file of an artifact is not what it should be. The message names the file and the fault."""


def _finite_or_none(value: Any) -> Any:
    """JSON has no NaN and no infinity: nothing was measured."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


Measure = Annotated[float | None, pydantic.BeforeValidator(_finite_or_none)]
"""A number, or None where nothing was measured."""


class Record(pydantic.BaseModel):
    """A part of a file: immutable, checked, without unknown keys."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    def to_json(self) -> dict[str, Any]:
        """JSON values; fields that were not given are left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)


class RecordFile(Record):
    """A whole file of an artifact's folder."""

    FILE_NAME: ClassVar[str]

    def write(self, folder: str) -> None:
        """Writes the file; the folder, local or remote, is made if need be."""
        from trainer.uri_files import write_json

        write_json(f"{folder.rstrip('/')}/{self.FILE_NAME}", self.to_json())

    @classmethod
    def find(cls: type[R], folder: str) -> R | None:
        """Reads the file; None where the folder has none.

        Raises:
            UnreadableArtifactError: it is no JSON, a field is missing, or one is unknown.
        """
        from tensorflow.io import gfile

        from trainer.uri_files import read_json

        path = f"{folder.rstrip('/')}/{cls.FILE_NAME}"
        if not gfile.exists(path):
            return None
        try:
            return cls.model_validate(read_json(path))
        except pydantic.ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"]) or "the whole file"
            raise UnreadableArtifactError(
                f"{path}: {field}: {first['msg']}; if another release wrote it, run again"
            ) from None
        except ValueError as error:
            raise UnreadableArtifactError(f"{path} is not JSON: {error}") from None

    @classmethod
    def read(cls: type[R], folder: str) -> R:
        """Reads the file.

        Raises:
            UnreadableArtifactError: there is none, or as for `find`.
        """
        found = cls.find(folder)
        if found is None:
            raise UnreadableArtifactError(f"there is no {cls.FILE_NAME} in {folder}")
        return found
