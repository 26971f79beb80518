"""Labels of served versions, as `models.config` beside them gives them to TensorFlow Serving.

Whoever asks what is served reads the same file as the servers do: the label `stable` says it.
A push destination without the file is served by TensorFlow Serving's own rule, the newest version.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from trainer.settings import ConfigError

MODELS_CONFIG = "models.config"
STABLE = "stable"
CANARY = "canary"


@dataclasses.dataclass(frozen=True)
class VersionLabels:
    """Which version each label names.

    Attributes:
        stable: what users get; None where nothing has been labelled.
        canary: what is tried on some of them; the same as `stable` when nothing is being tried.
    """

    stable: int | None = None
    canary: int | None = None

    @classmethod
    def parse(cls, text: str, where: str) -> VersionLabels:
        """Reads the labels of the (first) model of a `models.config`.

        Args:
            text: a ModelServerConfig in text form.
            where: the file, for messages.

        Raises:
            ConfigError: the text is no ModelServerConfig.
        """
        from google.protobuf import text_format
        from tensorflow_serving.config import model_server_config_pb2

        config = model_server_config_pb2.ModelServerConfig()
        try:
            text_format.Parse(text, config)
        except text_format.ParseError as error:
            raise ConfigError(
                f"{where} is not a model server config: {error}; put it right, or remove it and "
                "the newest version counts as stable"
            ) from None
        for model in config.model_config_list.config:
            labels = model.version_labels
            return cls(labels.get(STABLE), labels.get(CANARY))
        return cls()

    def served_order(self, versions: Iterable[int]) -> list[int]:
        """The versions that may count as served, the best first.

        Where the stable one is missing or unusable, the ones before it follow, the newest first;
        never a newer one, which has not been made stable.

        Args:
            versions: all versions there are.
        """
        stable = self.stable
        return sorted((v for v in versions if stable is None or v <= stable), reverse=True)


def version_numbers(names: Iterable[str]) -> list[int]:
    """The versions among names of files and folders, ascending: whole numbers as TFX writes them.

    TensorFlow Serving ignores all other names, so that other files may stand beside them.
    """
    return sorted(
        int(name) for name in names if name.isascii() and name.isdecimal() and name[0] != "0"
    )
