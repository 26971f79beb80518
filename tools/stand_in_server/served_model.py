"""Which models the stand-in serves: from flags, or from a `models.config`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from google.protobuf import text_format

from cohortrec_client.serving_messages import model_server_config_pb2


@dataclasses.dataclass(frozen=True)
class ServedModel:
    """One model.

    Attributes:
        name: what requests call it.
        base_path: folder with a numbered folder for each version.
        latest: how many of the newest versions are served; 0 serves those in `specific`, or all
            where that is empty.
        specific: version numbers.
        labels: label to version number.
    """

    name: str
    base_path: Path
    latest: int = 1
    specific: frozenset[int] = frozenset()
    labels: Mapping[str, int] = dataclasses.field(default_factory=dict)

    def wanted(self) -> dict[int, Path]:
        """The versions that should be served now: number to folder.

        Folders whose name is no number do not count, whatever is in them.
        """
        if not self.base_path.is_dir():
            return {}
        found = {
            int(path.name): path
            for path in self.base_path.iterdir()
            if path.name.isdecimal() and path.is_dir()
        }
        if self.specific:
            return {version: path for version, path in found.items() if version in self.specific}
        newest = sorted(found, reverse=True)
        return {version: found[version] for version in newest[: self.latest or None]}


def read_config(path: Path) -> list[ServedModel]:
    """Reads a `models.config`.

    Raises:
        ValueError: it is no ModelServerConfig in text form, or lists no models.
    """
    config = model_server_config_pb2.ModelServerConfig()
    try:
        text_format.Parse(path.read_text(encoding="utf-8"), config)
    except text_format.ParseError as error:
        raise ValueError(f"{path}: {error}") from None
    if not config.model_config_list.config:
        raise ValueError(f"{path}: it lists no models")
    return [_served(model) for model in config.model_config_list.config]


def _served(model: model_server_config_pb2.ModelConfig) -> ServedModel:
    policy = model.model_version_policy
    kind = policy.WhichOneof("policy_choice")
    return ServedModel(
        name=model.name,
        base_path=Path(model.base_path),
        latest=1 if kind is None else (policy.latest.num_versions or 1) * (kind == "latest"),
        specific=frozenset(policy.specific.versions) if kind == "specific" else frozenset(),
        labels=dict(model.version_labels),
    )
