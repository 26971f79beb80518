"""Tensors between a client and its transport: plain lists, so that no array library is needed."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal


@dataclasses.dataclass(frozen=True)
class Tensor:
    """A dense tensor.

    Attributes:
        dtype: type of the values.
        shape: its dimensions.
        values: all values in row-major order; `bytes` where the dtype is "string".

    Example:
        >>> Tensor("int64", (2, 3), [1, 2, 3, 4, 5, 6]).rows()
        [[1, 2, 3], [4, 5, 6]]
    """

    dtype: Literal["string", "int64", "float32"]
    shape: tuple[int, ...]
    values: list[Any]

    def rows(self) -> list[list[Any]]:
        """The values by the first dimension."""
        count = self.shape[0]
        width = len(self.values) // count if count else 0
        return [self.values[row * width : (row + 1) * width] for row in range(count)]
