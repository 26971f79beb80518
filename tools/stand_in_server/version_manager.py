"""Loads and unloads versions as their folders come and go.

A new version is loaded before the old one goes, and one that does not load leaves the old one in
place. A version goes only when no request runs on it any more.
"""

from __future__ import annotations

import dataclasses
import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc

from cohortrec_client.serving_messages import get_model_status_pb2
from components.infra_validator.stand_in.grpc_services import VersionOutcome
from components.infra_validator.stand_in.one_model import load_version
from components.infra_validator.stand_in.refusal import Refusal, invalid
from components.infra_validator.stand_in.saved_model import SavedModel
from tools.stand_in_server.served_model import ServedModel

LOG = logging.getLogger("stand_in_model_server")
STATE = get_model_status_pb2.ModelVersionStatus.State


@dataclasses.dataclass
class Version:
    """A version and what became of it."""

    number: int
    state: int = STATE.LOADING
    fault: Refusal | None = None
    model: SavedModel | None = None
    users: int = 0
    """Requests that run on it."""


class VersionManager:
    """All versions of all models."""

    def __init__(self, models: Sequence[ServedModel]) -> None:
        self._models = {model.name: model for model in models}
        self._versions: dict[str, dict[int, Version]] = {model.name: {} for model in models}
        self._changed = threading.Condition()
        self._refreshing = threading.Lock()

    def refresh(self) -> None:
        """Looks at the folders once: loads what is new, then unloads what is not wanted."""
        with self._refreshing:
            for model in self._models.values():
                wanted = model.wanted()
                self._forget(model.name, set(wanted))
                for number, folder in sorted(wanted.items()):
                    version = self._versions[model.name].get(number)
                    # One that was unloaded comes back when it is wanted again (a rollback).
                    if version is None or (version.state == STATE.END and not version.fault):
                        self._load(model.name, number, folder)
                loaded = {
                    number
                    for number, version in self._versions[model.name].items()
                    if version.state == STATE.AVAILABLE
                }
                # Without a version that took over, the old one stays.
                if loaded & set(wanted):
                    for number in sorted(loaded - set(wanted)):
                        self._unload(model.name, number)

    def pending(self) -> list[str]:
        """Names of the models of which no version was found yet."""
        return [name for name, versions in self._versions.items() if not versions]

    def faults(self) -> list[str]:
        """A sentence for each version that did not load."""
        return [
            f"version {version.number} of model {name!r}: {version.fault.message}"
            for name, versions in self._versions.items()
            for version in versions.values()
            if version.fault is not None
        ]

    @contextmanager
    def using(self, spec: Any) -> Iterator[tuple[int, SavedModel]]:
        """The version that a ModelSpec means, kept loaded for as long as the block lasts.

        Yields:
            Its number, and the model.

        Raises:
            Refusal: there is no such model, version or label.
        """
        with self._changed:
            version = self._find(spec)
            version.users += 1
        try:
            assert version.model is not None
            yield version.number, version.model
        finally:
            with self._changed:
                version.users -= 1
                self._changed.notify_all()

    def status(self, spec: Any) -> list[VersionOutcome]:
        """The versions that a ModelSpec means, newest first.

        Raises:
            Refusal: there are none.
        """
        with self._changed:
            versions = dict(self._versions.get(spec.name, {}))
            number = self._number(spec)
        if number is not None:
            versions = {n: version for n, version in versions.items() if n == number}
        if not versions:
            what = "any versions" if number is None else f"version {number}"
            raise Refusal(grpc.StatusCode.NOT_FOUND, f"Could not find {what} of model {spec.name}")
        return [
            VersionOutcome(number, version.state, version.fault)
            for number, version in sorted(versions.items(), reverse=True)
        ]

    def _number(self, spec: Any) -> int | None:
        """The version that is asked for by number or label; None for the newest."""
        choice = spec.WhichOneof("version_choice")
        if choice == "version":
            return int(spec.version.value)
        if choice != "version_label":
            return None
        model = self._models.get(spec.name)
        if model is None or spec.version_label not in model.labels:
            raise invalid(f"Unrecognized servable version label: {spec.version_label}")
        return model.labels[spec.version_label]

    def _find(self, spec: Any) -> Version:
        number = self._number(spec) if spec.name in self._models else None
        ready = {
            n: version
            for n, version in self._versions.get(spec.name, {}).items()
            if version.state == STATE.AVAILABLE
        }
        if number is None and ready:
            return ready[max(ready)]
        if number is not None and number in ready:
            return ready[number]
        asked = f"Latest({spec.name})" if number is None else f"Specific({spec.name}, {number})"
        raise Refusal(grpc.StatusCode.NOT_FOUND, f"Servable not found for request: {asked}")

    def _forget(self, name: str, wanted: set[int]) -> None:
        """Forgets versions that did not load and are gone, so that new ones get their chance."""
        with self._changed:
            for number, version in list(self._versions[name].items()):
                if version.fault is not None and number not in wanted:
                    del self._versions[name][number]

    def _load(self, name: str, number: int, folder: Path) -> None:
        version = Version(number)
        with self._changed:
            self._versions[name][number] = version
        try:
            model = load_version(folder)
        except Refusal as fault:
            # The server goes on with its other versions.
            with self._changed:
                version.state, version.fault = STATE.END, fault
            LOG.error("version %d of model %r does not load: %s", number, name, fault)
            return
        with self._changed:
            version.model, version.state = model, STATE.AVAILABLE
        LOG.info("version %d of model %r: loaded", number, name)

    def _unload(self, name: str, number: int) -> None:
        version = self._versions[name][number]
        with self._changed:
            version.state = STATE.UNLOADING
            self._changed.wait_for(lambda: version.users == 0)
            model, version.model, version.state = version.model, None, STATE.END
        if model is not None:
            model.close()
        LOG.info("version %d of model %r: unloaded", number, name)
