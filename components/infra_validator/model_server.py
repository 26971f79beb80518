"""Which model server is run: a real `tensorflow_model_server`, or the stand-in."""

from __future__ import annotations

import dataclasses
import os
import shutil
import sys
from pathlib import Path

from trainer.settings import ConfigError

BINARY = "tensorflow_model_server"
VARIABLE = "TENSORFLOW_MODEL_SERVER"
"""Environment variable that names the binary; otherwise it is looked for on the PATH."""

STAND_IN = "stand-in model server"


@dataclasses.dataclass(frozen=True)
class ModelServer:
    """A program that serves models.

    Attributes:
        binary: path of a `tensorflow_model_server`; "" for the stand-in.
    """

    binary: str = ""

    @property
    def name(self) -> str:
        """What messages call it; the stand-in is never called anything else."""
        return BINARY if self.binary else STAND_IN

    @property
    def version(self) -> str:
        """Changes when the binary is replaced; "" for the stand-in, which is part of the code."""
        if not self.binary:
            return ""
        state = Path(self.binary).stat()
        return f"{state.st_size}-{state.st_mtime_ns}"

    def command(self, model_name: str, base_path: str, grpc_port: int) -> list[str]:
        """The command line that serves the newest version below a folder, over gRPC."""
        flags = [
            f"--port={grpc_port}",
            f"--model_name={model_name}",
            f"--model_base_path={base_path}",
        ]
        if self.binary:
            # It would try five times, a minute apart, to load what cannot be loaded.
            return [self.binary, *flags, "--max_num_load_retries=0"]
        stand_in = f"{__package__}.stand_in"
        return [sys.executable, "-m", stand_in, *flags, "--stop_with_stdin"]


def find_model_server() -> ModelServer:
    """The binary that the environment names, the one on the PATH, or else the stand-in.

    Raises:
        ConfigError: the environment names something that cannot be run.
    """
    named = os.environ.get(VARIABLE, "")
    found = shutil.which(named or BINARY)
    if named and found is None:
        raise ConfigError(f"{VARIABLE}={named!r}: there is no such program")
    return ModelServer(str(Path(found).resolve()) if found else "")
