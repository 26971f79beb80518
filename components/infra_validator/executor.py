"""Executor of InfraValidator: TFX's, with a server process on this machine."""

from __future__ import annotations

from typing import Any
from unittest import mock

from absl import logging
from tfx.components.infra_validator import error_types
from tfx.components.infra_validator import executor as tfx_executor
from tfx.dsl.io import fileio
from tfx.types import artifact_utils

from components.infra_validator.model_server import ModelServer
from components.infra_validator.process_runner import LocalProcessRunner
from components.infra_validator.recommend_requests import recommend_requests
from components.infra_validator.record import BLESSED, InfraRecord

_LONGEST_FAULT = 500


class Executor(tfx_executor.Executor):
    """Builds the requests, serves the model, asks, and writes the blessing, all as TFX does.

    Beyond that: the server is a process; `recommend` is asked too; a model too damaged to be read
    is refused instead of failing the run; and what was found is kept as `InfraRecord`.
    """

    def Do(
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Validates a model.

        Args:
            input_dict: `model` and `examples`.
            output_dict: `blessing`.
            exec_properties: TFX's specs, and `model_server`, the path of a binary or "".
        """
        server = ModelServer(exec_properties["model_server"])
        self._sent = 0
        self._fault = ""
        blessing = artifact_utils.get_single_instance(output_dict["blessing"])

        def make_runner(model_path: str, **_: Any) -> LocalProcessRunner:
            return LocalProcessRunner(model_path, server)

        # TFX chooses among Docker and Kubernetes here, and has no place to add a third.
        with mock.patch.object(tfx_executor, "_create_model_server_runner", make_runner):
            try:
                super().Do(input_dict, output_dict, exec_properties)
            except error_types.GracefulShutdown:
                raise
            # A damaged SavedModel may raise anything while TFX reads its signatures.
            except Exception as error:
                logging.exception("the model cannot be read")
                self._fault = _one_line(error)
                tfx_executor._mark_not_blessed(blessing)
        if fileio.exists(f"{blessing.uri}/{BLESSED}"):
            self._fault = ""
        InfraRecord(server.name, self._sent, self._fault).write(blessing.uri)

    def _ValidateOnce(self, *, requests: list[Any], **specs: Any) -> None:
        """One try: TFX's, with requests for `recommend`; keeps the reason of a failure."""
        asked = [*requests, *recommend_requests(requests)]
        self._sent = len(asked)
        try:
            super()._ValidateOnce(requests=asked, **specs)
        except error_types.GracefulShutdown:
            raise
        except Exception as error:
            self._fault = _one_line(error.__cause__ or error)
            raise


def _one_line(error: BaseException) -> str:
    """What went wrong, without the request that TFX quotes and without gRPC's wrapping."""
    details = getattr(error, "details", None)
    text = details() if callable(details) else str(error)
    text = " ".join(str(text or type(error).__name__).split())
    return text if len(text) <= _LONGEST_FAULT else f"{text[:_LONGEST_FAULT]}…"
