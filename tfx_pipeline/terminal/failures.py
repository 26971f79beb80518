"""What a failure says to the user: a message of ours, or one line with the cause."""

from __future__ import annotations

import re
from collections.abc import Iterator

from trainer.shown_text import shown_lines, shown_text

# The subclasses of `trainer.errors.UserError`. They are matched by name, because Beam and TFX
# hand on an executor's exception as another type that carries only the text of the traceback.
USER_ERRORS = (
    "AnomalyError",
    "ClusterModelError",
    "ClusteringError",
    "ConfigError",
    "DataError",
    "InputError",
    "TrainingDataError",
    "UnreadableArtifactError",
)

_IN_TRACEBACK = re.compile(
    rf"^(?:[\w.]+\.)?(?:{'|'.join(USER_ERRORS)}): (.*?)(?: \[while running |\Z|\n\n|\nTraceback )",
    re.DOTALL | re.MULTILINE,
)
_WHILE_RUNNING = re.compile(r"\s*\[while running .*\Z", re.DOTALL)
_EXCEPTION_LINE = re.compile(r"^\s*(?:[\w.]+\.)?(\w*(?:Error|Exception)): (.+)$", re.MULTILINE)


class ModelRefused(Exception):
    """The model cannot be served, so that the run ends without a push. The message says why."""

    def __init__(self, why: str) -> None:
        super().__init__(shown_lines(why))


class ComponentFailure(Exception):
    """A node of the pipeline failed for a reason that is not the user's input."""

    def __init__(self, node: str, cause: str) -> None:
        super().__init__(f"{node} failed: {cause}")
        self.node = node
        self.cause = cause


def user_message(error: BaseException) -> str | None:
    """The message of the user error that `error` is, was caused by, or quotes; else None."""
    for link in _chain(error):
        if type(link).__name__ in USER_ERRORS:
            return shown_lines(_WHILE_RUNNING.sub("", str(link)))
        quoted = _IN_TRACEBACK.findall(str(link))
        if quoted:
            return shown_lines(str(quoted[-1]).strip())
    return None


def one_line(error: BaseException) -> str:
    """The cause of an unexpected failure in one line of at most 300 characters."""
    text = str(error)
    quoted = _EXCEPTION_LINE.findall(text)
    if quoted:
        # The last exception of a quoted traceback is what went wrong.
        name, message = quoted[-1]
    else:
        name, message = type(error).__name__, text
    message = _WHILE_RUNNING.sub("", message).strip().split("\n", 1)[0]
    return shown_text(f"{name}: {message}" if message else name, 300)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and everything that it was raised from, nearest first."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or link.__context__
