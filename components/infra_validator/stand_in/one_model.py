"""The one model that the stand-in serves: the newest version in a folder, loaded at the start."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc

from cohortrec_client.serving_messages import get_model_status_pb2
from components.infra_validator.stand_in.grpc_services import VersionOutcome
from components.infra_validator.stand_in.refusal import Refusal
from components.infra_validator.stand_in.saved_model import SavedModel
from components.infra_validator.stand_in.warmup import warm_up

LOG = logging.getLogger("stand_in_model_server")


class OneModel:
    """The newest version of a model."""

    def __init__(self, name: str, base_path: Path) -> None:
        """Loads it.

        Args:
            name: what requests call it.
            base_path: folder with a numbered folder for each version; others do not count.

        Raises:
            Refusal: there is no version, or the newest does not load.
        """
        folders = [path for path in base_path.glob("*") if path.name.isdecimal()]
        if not folders:
            raise Refusal(grpc.StatusCode.NOT_FOUND, f"{base_path} has no version")
        newest = max(folders, key=lambda path: int(path.name))
        self._name, self._number = name, int(newest.name)
        try:
            self._model = load_version(newest)
        except Refusal as refusal:
            raise Refusal(
                refusal.code, f"version {self._number} of model {name!r}: {refusal.message}"
            ) from None

    @contextmanager
    def using(self, spec: Any) -> Iterator[tuple[int, SavedModel]]:
        """The version that a ModelSpec means.

        Yields:
            Its number, and the model.

        Raises:
            Refusal: it means another.
        """
        self._check(spec)
        yield self._number, self._model

    def status(self, spec: Any) -> list[VersionOutcome]:
        """The one version.

        Raises:
            Refusal: the ModelSpec means another.
        """
        self._check(spec)
        return [VersionOutcome(self._number, get_model_status_pb2.ModelVersionStatus.AVAILABLE)]

    def _check(self, spec: Any) -> None:
        choice = spec.WhichOneof("version_choice")
        newest = choice is None or (choice == "version" and spec.version.value == self._number)
        if spec.name != self._name or not newest:
            asked = f"{spec.name} {getattr(spec, choice) if choice else ''}".strip()
            raise Refusal(grpc.StatusCode.NOT_FOUND, f"Servable not found for request: {asked}")


def load_version(folder: Path) -> SavedModel:
    """Loads a version and replays its warm-up requests.

    Raises:
        Refusal: it does not load, or does not answer one of them.
    """
    if not (folder / "saved_model.pb").is_file():
        raise Refusal(grpc.StatusCode.NOT_FOUND, f"{folder} has no saved_model.pb")
    try:
        model = SavedModel(folder)
        try:
            requests = warm_up(model, folder)
        except Exception:
            model.close()
            raise
    except Refusal:
        raise
    # A damaged folder may raise anything.
    except Exception as error:
        raise Refusal(grpc.StatusCode.INTERNAL, repr(error)) from error
    LOG.info("%s: loaded, %d warm-up requests", folder, requests)
    return model
