"""Runs the stand-in model server: `python -m components.infra_validator.stand_in --help`.

Its flags are those of `tensorflow_model_server`, as far as it has them.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from components.infra_validator.stand_in.grpc_services import grpc_server
from components.infra_validator.stand_in.one_model import OneModel
from components.infra_validator.stand_in.refusal import Refusal

LOG = logging.getLogger("stand_in_model_server")
GRACE_SECONDS = 2.0


def main(argv: Sequence[str] | None = None) -> int:
    """Serves until SIGTERM or SIGINT.

    Returns:
        0 after a signal; 1 if a model does not load at the start, or a port is taken.
    """
    arguments = _parser().parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname).1s %(message)s")
    LOG.warning("This is a stand-in for TensorFlow Serving: a test double.")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if arguments.stop_with_stdin:
        threading.Thread(target=_wait_for_stdin, args=(stop,), daemon=True).start()
    try:
        model = OneModel(arguments.model_name, arguments.model_base_path)
        server = grpc_server(model, arguments.port)
    except (Refusal, RuntimeError) as error:
        LOG.error("Failed to start server: %s", error)
        return 1
    LOG.info("Running: gRPC on port %d", arguments.port)
    stop.wait()
    LOG.info("Stopping")
    server.stop(GRACE_SECONDS).wait()
    return 0


def _wait_for_stdin(stop: threading.Event) -> None:
    # Not `sys.stdin`: its lock, held by this thread, would abort the process at its end.
    while os.read(0, 1 << 16):
        pass
    stop.set()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m components.infra_validator.stand_in",
        description="A stand-in for TensorFlow Serving: a test double that listens on 127.0.0.1.",
    )
    parser.add_argument("--port", type=int, default=8500, help="of gRPC")
    parser.add_argument("--model_name", default="default")
    parser.add_argument(
        "--model_base_path", type=Path, required=True, help="folder of numbered versions"
    )
    parser.add_argument(
        "--stop_with_stdin",
        action="store_true",
        help="stop when the standard input closes, so that it does not outlive its parent",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
