"""A Python that has imported TensorFlow and TFX already, for the tasks of a (doubled) backend.

A container of the pipeline spends over ten seconds importing libraries before it does anything.
This process imports them once. A task is then a fork of it: a process of its own, with folder,
variables, arguments and output of its own, which runs the module that the command names. Of our own
packages nothing is loaded beforehand, so that every task still imports what it needs.

    python -m tests.tfx_pipeline.kubeflow.backend.warm_python    prints its port, then serves
"""

from __future__ import annotations

import importlib
import json
import os
import runpy
import socket
import socketserver
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from tests.helpers.repository import REPOSITORY

LIBRARIES = (
    "trainer",  # its switches stand before TensorFlow is imported
    "keras",
    "polars",
    "tensorflow_data_validation",
    "tfx.components",
    "tfx.orchestration.kubeflow.v2.container.kubeflow_v2_run_executor",
)
"""What is imported once. All but the libraries is forgotten again."""
_OURS = ("trainer", "components", "tfx_pipeline", "schema")
_HOST = "127.0.0.1"


class WarmPython:
    """Runs modules as `python -m` does, each in a fork of one warm interpreter.

    Used as a context; the interpreter ends with it.

    Args:
        environment: variables that the interpreter starts with.
        log: file that gets what it prints itself.
    """

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        with log.open("wb") as stream:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__],
                cwd=REPOSITORY,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stream,
                text=True,
            )
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        if not said:
            raise RuntimeError(f"the warm interpreter did not start:\n{log.read_text()}")
        self._port = int(said)

    def __enter__(self) -> WarmPython:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.communicate()

    @staticmethod
    def takes(command: Sequence[str]) -> bool:
        """Whether a command is `python -m MODULE …`."""
        return Path(command[0]).name.startswith("python") and command[1] == "-m"

    def run(
        self, command: Sequence[str], folder: Path, environment: Mapping[str, str], log: Path
    ) -> int:
        """Runs a command to its end.

        Args:
            command: `python -m MODULE …`.
            folder: where it runs.
            environment: all its variables.
            log: file for both of its outputs.

        Returns:
            Its exit code; -1 if it died without one.
        """
        asked = {
            "arguments": list(command[2:]),
            "folder": str(folder),
            "environment": dict(environment),
            "log": str(log),
        }
        with socket.create_connection((_HOST, self._port)) as connection:
            connection.sendall(json.dumps(asked).encode() + b"\n")
            with connection.makefile() as answer:
                return int(answer.readline() or -1)


class _Server(socketserver.ForkingMixIn, socketserver.TCPServer):
    """Forks for every request and reaps the children."""


class _Request(socketserver.StreamRequestHandler):
    """One module, in the fork."""

    def handle(self) -> None:
        code = _run(**json.loads(self.rfile.readline()))
        self.wfile.write(f"{code}\n".encode())


def _run(arguments: list[str], folder: str, environment: dict[str, str], log: str) -> int:
    """What `python -m` would do in a process that has just started."""
    os.environ.clear()
    os.environ.update(environment)
    tempfile.tempdir = None  # it was looked up in the variables before
    os.chdir(folder)
    sys.path[0] = folder
    sys.argv = list(arguments)
    with Path(log).open("wb") as stream, Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
        os.dup2(stream.fileno(), 1)
        os.dup2(stream.fileno(), 2)
    try:
        runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as ended:
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return code


def main() -> None:
    """Imports the libraries, then serves until it is terminated."""
    for library in LIBRARIES:
        importlib.import_module(library)
    for module in [name for name in sys.modules if name.partition(".")[0] in _OURS]:
        del sys.modules[module]
    with _Server((_HOST, 0), _Request) as server:
        print(server.server_address[1], flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
