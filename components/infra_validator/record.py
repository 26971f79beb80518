"""What the InfraValidator found, beside the marker file that TFX writes."""

from __future__ import annotations

import dataclasses

from tensorflow.io import gfile

from trainer.uri_files import read_json, write_json

BLESSED = "INFRA_BLESSED"
"""TFX's marker of a model that passed."""

RECORD = "infra_validation.json"


@dataclasses.dataclass(frozen=True)
class InfraRecord:
    """The outcome.

    Attributes:
        server: what served the model: "tensorflow_model_server" or "stand-in model server".
        requests: how many requests it was sent after its own warm-up.
        fault: why the model was refused; "" if it was not.
    """

    server: str
    requests: int
    fault: str

    @property
    def passed(self) -> bool:
        """Whether the model can be served."""
        return not self.fault

    @property
    def sentence(self) -> str:
        """The outcome for people."""
        if self.passed:
            return f"the {self.server} loads the model and answers {self.requests} requests"
        return f"the model cannot be served: {self.fault}"

    def write(self, folder: str) -> None:
        """Writes it into the folder of an InfraBlessing."""
        write_json(f"{folder}/{RECORD}", dataclasses.asdict(self))

    @classmethod
    def find(cls, folder: str) -> InfraRecord | None:
        """Inverse of `write`; None where the folder holds no record."""
        if not gfile.exists(f"{folder}/{RECORD}"):
            return None
        return cls(**read_json(f"{folder}/{RECORD}"))
