"""`baseline.json`: which model stands as the baseline, and why."""

from __future__ import annotations

import dataclasses
import json
from typing import Literal

from tfx.dsl.io import fileio

from trainer.evaluation.compared_models import title

Kind = Literal["served", "own_items", "popularity"]

FILE_NAME = "baseline.json"


@dataclasses.dataclass(frozen=True)
class BaselineRecord:
    """Which model the candidate has to beat.

    Attributes:
        kind: "served", or which of the free baselines.
        version: version folder in the push destination, or the content id of a free baseline.
        reason: a sentence for people.
        validation: metrics of the free baselines on the split `validation`, by kind; empty when
            a model is served, since the Evaluator measures that one.
        skipped: why newer versions in the push destination were passed over.
        stable: the version that was stable when the baseline was made, usable or not; "" where
            there was none. Only while it is stable may the candidate be pushed.
        stable_identity: of that version's model; "" for a model of another making.
    """

    kind: Kind
    version: str
    reason: str
    validation: dict[str, dict[str, float]] = dataclasses.field(default_factory=dict)
    skipped: list[str] = dataclasses.field(default_factory=list)
    stable: str = ""
    stable_identity: str = ""

    @property
    def title(self) -> str:
        """Name of the baseline in a sentence."""
        return "the served model" if self.kind == "served" else title(self.kind)

    def write(self, artifact_uri: str) -> None:
        """Writes `baseline.json` into the Model artifact."""
        with fileio.open(f"{artifact_uri}/{FILE_NAME}", "w") as file:
            file.write(json.dumps(dataclasses.asdict(self), indent=2, sort_keys=True))

    @classmethod
    def find(cls, artifact_uri: str) -> BaselineRecord | None:
        """Reads `baseline.json` from the Model artifact; None where there is none."""
        if not fileio.exists(f"{artifact_uri}/{FILE_NAME}"):
            return None
        with fileio.open(f"{artifact_uri}/{FILE_NAME}", "r") as file:
            return cls(**json.loads(file.read()))
