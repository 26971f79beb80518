"""A model server runner for TFX's InfraValidator: the server is a process on this machine."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import time

from tfx.components.infra_validator import error_types
from tfx.components.infra_validator.model_server_runners import base_runner
from tfx.utils.model_paths import tf_serving_flavor

from components.infra_validator.model_server import ModelServer

HOST = "127.0.0.1"

_POLL_SECONDS = 0.05
_GRACE_SECONDS = 10.0
_LOG_BYTES = 64 << 10
_REASON = "Failed to start server"
"""Both servers say so when a model does not load."""


class LocalProcessRunner(base_runner.BaseModelServerRunner):
    """Starts a model server as a child process and stops it again."""

    def __init__(self, model_path: str, server: ModelServer) -> None:
        """Prepares a runner; nothing is started.

        Args:
            model_path: `…/NAME/VERSION`, where the SavedModel lies.
            server: what to run.
        """
        folder, self._model_name, _ = tf_serving_flavor.parse_model_path(model_path)
        self._base_path = f"{folder}/{self._model_name}"
        self._server = server
        self._process: subprocess.Popen[bytes] | None = None
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 (closed by `Stop`)
        self.grpc_port = 0

    def __repr__(self) -> str:
        return f"LocalProcessRunner({self._server.name})"

    def GetEndpoint(self) -> str:  # noqa: N802 (TFX's names)
        """Address of the gRPC port."""
        return f"{HOST}:{self.grpc_port}"

    def Start(self) -> None:  # noqa: N802
        """Starts the process."""
        self.grpc_port = free_port()
        self._process = subprocess.Popen(
            self._server.command(self._model_name, self._base_path, self.grpc_port),
            # The stand-in stops when its input closes: it does not outlive a killed parent.
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=self._log,
            # This process may hold all of a GPU's memory.
            env={**os.environ, "CUDA_VISIBLE_DEVICES": "-1"},
        )

    def WaitUntilRunning(self, deadline: float) -> None:  # noqa: N802
        """Waits until the gRPC port answers, which is when the model is loaded.

        Args:
            deadline: seconds since the epoch.

        Raises:
            JobAborted: the process ended; the message is the last that it said.
            DeadlineExceeded: the time is over.
        """
        assert self._process is not None
        while time.time() < deadline:
            code = self._process.poll()
            if code is not None:
                raise error_types.JobAborted(
                    f"the {self._server.name} ended with status {code}: {self._last_words()}"
                )
            with socket.socket() as probe:
                if probe.connect_ex((HOST, self.grpc_port)) == 0:
                    return
            time.sleep(_POLL_SECONDS)
        raise error_types.DeadlineExceeded(
            f"the {self._server.name} did not load the model in time (infra.max_loading_seconds)"
        )

    def Stop(self) -> None:  # noqa: N802
        """Asks the process to end, and kills it if it does not."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(_GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdin is not None:
                process.stdin.close()
        self._log.close()

    def GetLogs(self) -> str | None:  # noqa: N802
        """The end of what the process wrote."""
        size = os.fstat(self._log.fileno()).st_size
        # Not `seek`: the child writes with the same offset.
        written = os.pread(self._log.fileno(), _LOG_BYTES, max(0, size - _LOG_BYTES))
        return written.decode("utf-8", "replace")

    def _last_words(self) -> str:
        lines = [line for line in (self.GetLogs() or "").splitlines() if line.strip()]
        reasons = [line[line.index(_REASON) :] for line in lines if _REASON in line]
        return (reasons or lines or ["it said nothing"])[-1]


def free_port() -> int:
    """A port that nobody listens on now. If somebody takes it first, the validator tries again."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
