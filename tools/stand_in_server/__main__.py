"""Runs the stand-in model server: `python -m tools.stand_in_server --help`.

Its flags are those of `tensorflow_model_server`, as far as it has them.
"""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from components.infra_validator.stand_in.grpc_services import grpc_server
from tools.stand_in_server.rest_api import RestServer
from tools.stand_in_server.served_model import ServedModel, read_config
from tools.stand_in_server.version_manager import VersionManager

LOG = logging.getLogger("stand_in_model_server")
GRACE_SECONDS = 2.0


def main(argv: Sequence[str] | None = None) -> int:
    """Serves until SIGTERM or SIGINT.

    Returns:
        0 after a signal; 1 if a model does not load at the start, or a port is taken.
    """
    parser = _parser()
    arguments = parser.parse_args(argv)
    if not arguments.model_config_file and not arguments.model_base_path:
        parser.error("give --model_base_path or --model_config_file")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname).1s %(message)s")
    LOG.warning("This is a stand-in for TensorFlow Serving: a test double.")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if arguments.model_config_file:
        models = read_config(arguments.model_config_file)
    else:
        models = [ServedModel(arguments.model_name, arguments.model_base_path)]
    versions = VersionManager(models)
    versions.refresh()
    # As TensorFlow Serving does: it waits for a first version, and takes no request before.
    while versions.pending() and not stop.wait(arguments.file_system_poll_wait_seconds):
        LOG.warning("no versions yet of: %s", ", ".join(versions.pending()))
        versions.refresh()
    if versions.faults():
        LOG.error("Failed to start server: %s", "; ".join(versions.faults()))
        return 1
    return _serve(versions, arguments, stop)


def _serve(versions: VersionManager, arguments: argparse.Namespace, stop: threading.Event) -> int:
    try:
        rest = RestServer(versions, arguments.rest_api_port) if arguments.rest_api_port else None
        grpc = grpc_server(versions, arguments.port)
    except (OSError, RuntimeError) as error:
        LOG.error("Failed to start server: %s", error)
        return 1
    if rest is not None:
        threading.Thread(target=rest.serve_forever, args=(0.05,), daemon=True).start()
    LOG.info("Running: gRPC on port %d, REST on %d", arguments.port, arguments.rest_api_port)
    while not stop.wait(arguments.file_system_poll_wait_seconds):
        versions.refresh()
    LOG.info("Stopping")
    grpc.stop(GRACE_SECONDS).wait()
    if rest is not None:
        rest.shutdown()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.stand_in_server",
        description="A stand-in for TensorFlow Serving: a test double that listens on 127.0.0.1.",
    )
    parser.add_argument("--port", type=int, default=8500, help="of gRPC")
    parser.add_argument("--rest_api_port", type=int, default=0, help="of REST; 0 for none")
    parser.add_argument("--model_name", default="default")
    parser.add_argument("--model_base_path", type=Path, help="folder of numbered versions")
    parser.add_argument(
        "--model_config_file", type=Path, help="models.config, instead of name and path"
    )
    parser.add_argument("--file_system_poll_wait_seconds", type=float, default=1.0)
    return parser


if __name__ == "__main__":
    sys.exit(main())
