"""What a client needs of the way to a model: REST, gRPC, or a SavedModel in this process."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Protocol

from cohortrec_client.tensor import Tensor

MAX_ANSWER_BYTES = 64 << 20
"""Longer answers are refused: 10,000 users with lists of 100 items are a tenth of this."""


@dataclasses.dataclass(frozen=True)
class VersionStatus:
    """One version of a served model.

    Attributes:
        version: its number.
        state: START, LOADING, AVAILABLE, UNLOADING or END.
        error: why it is not served; "" where nothing is wrong.
    """

    version: int
    state: str
    error: str


class Transport(Protocol):
    """One model behind one address; safe to use from several threads."""

    def predict(
        self, signature: str, inputs: Mapping[str, Tensor], timeout: float
    ) -> dict[str, Tensor]:
        """Runs a signature.

        Args:
            signature: its name.
            inputs: its inputs, all of them.
            timeout: seconds to wait at most.

        Returns:
            All outputs by name.

        Raises:
            ServingError: the subclass says what is wrong.
        """

    def status(self, timeout: float) -> list[VersionStatus]:
        """The versions that the server knows.

        Raises:
            ServingError: the subclass says what is wrong.
        """

    def close(self) -> None:
        """Frees the connections."""
