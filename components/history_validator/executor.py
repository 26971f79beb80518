"""Executor of HistoryValidator."""

from __future__ import annotations

from typing import Any

from tensorflow_metadata.proto.v0 import anomalies_pb2
from tfx.components.example_validator import executor as example_validator
from tfx.types import artifact_utils
from tfx.types import standard_component_specs as keys
from tfx.utils import io_utils

from trainer.errors import UserError
from trainer.uri_files import read_bytes

ERROR = anomalies_pb2.AnomalyInfo.ERROR


class AnomalyError(UserError):
    """The histories do not have the form that the curated schema asks for."""


class Executor(example_validator.Executor):
    """Writes the anomalies as TFX does, then refuses those of severity ERROR."""

    def Do(
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> Any:
        """Validates every split.

        Raises:
            AnomalyError: listing split, feature and what is wrong with it.
        """
        result = super().Do(input_dict, output_dict, exec_properties)
        artifact = artifact_utils.get_single_instance(output_dict[keys.ANOMALIES_KEY])
        problems: list[str] = []
        for split in artifact_utils.decode_split_names(artifact.split_names):
            folder = artifact_utils.get_split_uri([artifact], split)
            anomalies = anomalies_pb2.Anomalies()
            anomalies.ParseFromString(read_bytes(io_utils.get_only_uri_in_dir(folder)))
            problems += [f"split {split!r}: {problem}" for problem in errors_in(anomalies)]
        if problems:
            raise AnomalyError(
                "the histories do not fit the schema in schema/history.pbtxt:\n  "
                + "\n  ".join(problems)
            )
        return result


def errors_in(anomalies: anomalies_pb2.Anomalies) -> list[str]:
    """The anomalies of severity ERROR, a line each, ordered by feature.

    A split without any history is not among them: ingestion judges whether the data suffice.
    """
    return [
        f"feature {feature!r}: {info.short_description or 'anomaly'} ({info.description})"
        for feature, info in sorted(anomalies.anomaly_info.items())
        if info.severity == ERROR
    ]
