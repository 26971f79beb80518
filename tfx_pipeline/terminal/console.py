"""The terminal of a run: our lines on it, everything else in the log file.

TensorFlow, Beam and TFX write hundreds of lines to the standard streams, some of them from C++.
`quiet_terminal` therefore moves file descriptors 1 and 2 to the log and keeps a copy of the real
terminal for `Console`.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import TextIO

import rich.box
import rich.console
import rich.table
import rich.text

from trainer.shown_text import shown_text

# Nothing is cut in a file or a pipe: the ids in it must be whole.
PLAIN_WIDTH = 100_000


class Console:
    """Writes lines and tables for the user: coloured on a terminal, plain text anywhere else.

    Whatever it is given is made fit to be shown (`trainer/shown_text.py`).
    """

    def __init__(self, stream: TextIO) -> None:
        terminal = stream.isatty()
        self._rich = rich.console.Console(
            file=stream, highlight=False, emoji=False, width=None if terminal else PLAIN_WIDTH
        )
        self._box = rich.box.SIMPLE_HEAD if terminal else None

    def line(self, text: str = "", style: str | None = None) -> None:
        """One line, never wrapped and never read as markup."""
        self._rich.out(shown_text(text), style=style, highlight=False)

    def heading(self, text: str) -> None:
        """A title with an empty line above it."""
        self.line()
        self.line(text, style="bold")

    def table(
        self,
        header: Sequence[str],
        rows: Sequence[Sequence[str]],
        text: Collection[str] | None = None,
    ) -> None:
        """A table.

        Args:
            header: names of the columns.
            rows: the cells, never read as markup.
            text: columns that hold text, which is broken where the terminal is narrow; the other
                columns hold numbers. The first column when None.
        """
        table = rich.table.Table(box=self._box, pad_edge=False, padding=(0, 2, 0, 0))
        for name in header:
            is_text = name in (header[:1] if text is None else text)
            table.add_column(
                rich.text.Text(shown_text(name)),
                justify="left" if is_text else "right",
                no_wrap=not is_text,
                overflow="fold",
            )
        for row in rows:
            table.add_row(*[rich.text.Text(shown_text(cell)) for cell in row])
        self._rich.print(table)


@contextlib.contextmanager
def quiet_terminal(log_file: Path, echo: bool = False) -> Iterator[Console]:
    """Sends the standard streams of this process and its children to a file.

    Args:
        log_file: appended to; its folder is made when missing.
        echo: leave the standard streams alone (for debugging); only the log records of Python
            go to the file as well.

    Yields:
        The console that still writes to the real standard output.
    """
    log_file.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    terminal = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="replace", buffering=1)
    saved = [(fd, os.dup(fd)) for fd in (1, 2)]
    log = log_file.open("a", encoding="utf-8", buffering=1)
    records = _log_records(log)
    try:
        with contextlib.ExitStack() as redirected:
            if not echo:
                for fd, _ in saved:
                    os.dup2(log.fileno(), fd)
                # Python's own streams need not be those descriptors (a notebook replaces them).
                redirected.enter_context(contextlib.redirect_stdout(log))
                redirected.enter_context(contextlib.redirect_stderr(log))
            yield Console(terminal)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for fd, copy in saved:
            os.dup2(copy, fd)
            os.close(copy)
        logging.getLogger().removeHandler(records)
        terminal.close()
        log.close()


@contextlib.contextmanager
def quiet(echo: bool = False, doing: str = "Loading TensorFlow …") -> Iterator[None]:
    """Drops what this process writes to its standard streams while the block lasts.

    Args:
        echo: drop nothing (for debugging).
        doing: what is being done meanwhile; shown where a person is waiting at a terminal, and
            never among the results, which go to the standard output.
    """
    if sys.stderr.isatty():
        Console(sys.stderr).line(doing, style="dim")
    if echo:
        yield
        return
    with quiet_terminal(Path(os.devnull)):
        yield


def _log_records(stream: TextIO) -> logging.Handler:
    """Root handler that writes Python's log records to `stream`; the caller removes it."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname).1s %(name)s: %(message)s"))
    logging.getLogger().addHandler(handler)
    return handler
