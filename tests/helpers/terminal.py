"""Runs the command line in this process and catches what a user would see."""

import os
import sys
import tempfile
from dataclasses import dataclass

from tfx_pipeline.cli import main


@dataclass(frozen=True)
class Answer:
    """Exit code and both output streams of a command."""

    code: int
    out: str
    err: str


def cohortrec(*arguments: object) -> Answer:
    """Runs `cohortrec` with the arguments; catches file descriptors, not only Python's streams."""
    sys.stdout.flush()
    sys.stderr.flush()
    saved = {fd: os.dup(fd) for fd in (1, 2)}
    streams = (sys.stdout, sys.stderr)
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        try:
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            sys.stdout, sys.stderr = os.fdopen(os.dup(1), "w"), os.fdopen(os.dup(2), "w")
            try:
                code = main([str(argument) for argument in arguments])
            except SystemExit as exit_:
                code = int(exit_.code or 0)
            sys.stdout.close()
            sys.stderr.close()
        finally:
            sys.stdout, sys.stderr = streams
            for fd, copy in saved.items():
                os.dup2(copy, fd)
                os.close(copy)
        out.seek(0)
        err.seek(0)
        return Answer(code, out.read(), err.read())
