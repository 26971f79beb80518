"""The TFX component: event log in, one tf.Example per user history out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import channel, standard_artifacts

from components.artifacts import DataQuality, ItemCatalogue
from components.behavior_example_gen.config import DataConfig
from components.behavior_example_gen.executor import Executor
from components.behavior_example_gen.reading.sources import fingerprint
from components.behavior_example_gen.spec import BehaviorExampleGenSpec


class BehaviorExampleGen(base_beam_component.BaseBeamComponent):
    """Reads event logs (CSV, Parquet, JSON Lines, sequence files), cleans and splits them.

    Outputs:
        examples: splits train, validation and test of raw histories (`schema/history.pbtxt`).
        data_quality: what was read, kept and dropped; the quarantine.
        items: the catalogue.
    """

    SPEC_CLASS = BehaviorExampleGenSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)

    def __init__(
        self,
        input_files: Sequence[str],
        items_files: Sequence[str] = (),
        config: DataConfig | None = None,
        input_fingerprint: str | None = None,
        code_version: str | None = None,
    ) -> None:
        """Makes the node.

        Args:
            input_files: event logs: paths, globs or folders.
            items_files: items files, the same.
            config: rules; default `DataConfig()`.
            input_fingerprint: hash of all files' contents; read from the files by default, so
                give it where they are out of reach (compiling for another machine).
            code_version: hash of the code; of this package by default.

        Raises:
            DataError: a file is missing (without `input_fingerprint`).
        """
        if input_fingerprint is None:
            input_fingerprint = fingerprint(input_files) + fingerprint(items_files)
        spec = BehaviorExampleGenSpec(
            input_files=json.dumps(list(input_files)),
            items_files=json.dumps(list(items_files)),
            config=(config or DataConfig()).to_json(),
            input_fingerprint=input_fingerprint,
            code_version=code_fingerprint() if code_version is None else code_version,
            examples=channel.Channel(type=standard_artifacts.Examples),
            data_quality=channel.Channel(type=DataQuality),
            items=channel.Channel(type=ItemCatalogue),
        )
        super().__init__(spec=spec)


def code_fingerprint() -> str:
    """Hash of the package's sources."""
    digest = hashlib.blake2b(digest_size=16)
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
