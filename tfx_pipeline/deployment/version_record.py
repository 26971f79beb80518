"""`versions.json`: what labels alone do not say about the versions of a push destination."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from pathlib import Path
from typing import Any

from tfx_pipeline.deployment.version_state import VersionState
from tfx_pipeline.paths.inputs import InputError
from tfx_pipeline.settings.deployment_config import DeploymentConfig
from trainer.whole_files import write_whole

VERSIONS_FILE = "versions.json"
KEPT_EVENTS = 200


@dataclasses.dataclass(frozen=True)
class VersionRecord:
    """The history of a push destination.

    Attributes:
        stable_before: versions that were stable before the present one, ascending.
        withdrawn: versions that were rolled back, each with its model's id.
        events: what was done when, the oldest first: `time` (ISO 8601), `action`, `version`, and
            the labels after it.
        deployment: the settings of the last push; commands go on with them.
    """

    stable_before: tuple[int, ...] = ()
    withdrawn: dict[int, str | None] = dataclasses.field(default_factory=dict)
    events: tuple[dict[str, Any], ...] = ()
    deployment: DeploymentConfig = dataclasses.field(default_factory=DeploymentConfig)

    @classmethod
    def read(cls, folder: Path) -> VersionRecord:
        """Reads the record of a push destination; an empty one where there is none.

        Raises:
            InputError: the file is damaged.
            ConfigError: its settings do not fit this version of cohortrec.
        """
        path = folder / VERSIONS_FILE
        if not path.is_file():
            return cls()
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            return cls(
                tuple(content["stable_before"]),
                {int(version): model for version, model in content["withdrawn"].items()},
                tuple(content["events"]),
                DeploymentConfig.from_dict(content["deployment"], "deployment."),
            )
        except (json.JSONDecodeError, KeyError, AttributeError, TypeError) as error:
            raise InputError(
                f"{str(path)!r} is damaged ({type(error).__name__}: {error}); remove it to go on "
                "without the history of rollbacks"
            ) from None

    def write(self, folder: Path) -> None:
        """Replaces the record of a push destination."""
        content = {
            "stable_before": self.stable_before,
            "withdrawn": self.withdrawn,
            "events": self.events,
            "deployment": self.deployment.model_dump(mode="json"),
        }
        text = json.dumps(content, indent=1, ensure_ascii=False)
        write_whole(folder / VERSIONS_FILE, text + "\n")

    def after(self, action: str, version: int, state: VersionState) -> VersionRecord:
        """The record with one more event."""
        event = {
            "time": dt.datetime.now(dt.timezone.utc).isoformat(timespec="seconds"),
            "action": action,
            "version": version,
            "stable": state.stable,
            "canary": state.canary,
        }
        return dataclasses.replace(
            self,
            stable_before=state.stable_before,
            withdrawn=dict(state.withdrawn),
            events=(*self.events, event)[-KEPT_EVENTS:],
        )

    def pushed_at(self, version: int) -> str | None:
        """When a version was pushed; None where it is older than the record."""
        for event in self.events:
            if (event["action"], event["version"]) == ("pushed", version):
                return str(event["time"])
        return None
