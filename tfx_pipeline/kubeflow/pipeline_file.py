"""The compiled pipeline as a YAML file: the pipeline spec, and perhaps a platform spec."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tfx_pipeline.paths.inputs import InputError


@dataclass(frozen=True)
class PipelineFile:
    """What a compiled pipeline consists of.

    Attributes:
        spec: the pipeline spec (`ml_pipelines.PipelineSpec` as JSON).
        platform: the platform spec (`ml_pipelines.PlatformSpec`), a second YAML document with what
            only Kubernetes knows; None where nothing of that kind is set.
    """

    spec: dict[str, Any]
    platform: dict[str, Any] | None = None

    def write(self, path: Path) -> None:
        """Writes the file; its folder is made when missing."""
        path.parent.mkdir(parents=True, exist_ok=True)
        text = self._header() + yaml.safe_dump(self.spec, sort_keys=True)
        if self.platform is not None:
            text += "---\n" + yaml.safe_dump(self.platform, sort_keys=True)
        path.write_text(text, encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> PipelineFile:
        """Reads a file that `cohortrec compile` or another compiler wrote.

        Raises:
            InputError: it is no YAML file with a pipeline spec.
        """
        try:
            documents = [d for d in yaml.safe_load_all(path.read_text(encoding="utf-8")) if d]
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"cannot read {str(path)!r}: {error}") from None
        except yaml.YAMLError as error:
            raise InputError(f"{str(path)!r} is not valid YAML: {error}") from None
        specs = [d for d in documents if isinstance(d, dict) and "pipelineInfo" in d]
        platforms = [d for d in documents if isinstance(d, dict) and "platforms" in d]
        if len(specs) != 1 or len(platforms) > 1 or len(documents) > 2:
            raise InputError(
                f"{str(path)!r} is no compiled pipeline: it must hold one document with "
                "pipelineInfo, and perhaps one with platforms"
            )
        return cls(specs[0], platforms[0] if platforms else None)

    def _header(self) -> str:
        """Comments for the reader: the name and the run parameters."""
        lines = ["# PIPELINE DEFINITION", f"# Name: {self.spec['pipelineInfo']['name']}"]
        declared = self.spec["root"].get("inputDefinitions", {}).get("parameters", {})
        if declared:
            lines.append("# Inputs:")
        for name, parameter in sorted(declared.items()):
            default = parameter.get("defaultValue")
            lines.append(f"#    {name}: {parameter['parameterType']} [Default: {default!r}]")
        return "\n".join(lines) + "\n"
