"""Model servers with REST: a real `tensorflow_model_server`, or the stand-in of `tools/`."""

import contextlib
import dataclasses
import sys
import time

from components.infra_validator.model_server import ModelServer
from components.infra_validator.process_runner import LocalProcessRunner, free_port
from tests.helpers.repository import REPOSITORY


@dataclasses.dataclass(frozen=True)
class RestServer(ModelServer):
    """A server that answers REST as well."""

    rest_port: int = dataclasses.field(default_factory=free_port)

    def command(self, model_name, base_path, grpc_port):
        if self.binary:
            program = super().command(model_name, base_path, grpc_port)
        else:
            program = [
                *("env", f"PYTHONPATH={REPOSITORY}", sys.executable, "-m", "tools.stand_in_server"),
                *(f"--port={grpc_port}", f"--model_name={model_name}"),
                f"--model_base_path={base_path}",
            ]
        return [*program, f"--rest_api_port={self.rest_port}"]


class RestRunner(LocalProcessRunner):
    """A running server."""

    def __init__(self, model_path, server):
        super().__init__(model_path, server)
        self.rest_port = server.rest_port


@contextlib.contextmanager
def serving(model_path, server=None):
    """Serves the newest version beside `…/NAME/VERSION` for as long as the block lasts."""
    runner = RestRunner(str(model_path), server or RestServer())
    runner.Start()
    try:
        runner.WaitUntilRunning(time.time() + 120)
        yield runner
    finally:
        runner.Stop()
