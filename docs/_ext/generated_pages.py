"""Sphinx extension: parts of pages that are written from the code while the site is built.

A page says where by a comment, `<!-- generated: settings-reference -->`. Nothing generated is
committed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from command_line_text import command_line_text
from record_text import record_text
from settings_text import settings_text
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

_PARTS: dict[str, Callable[[], str]] = {
    "settings-reference": settings_text,
    "command-line": command_line_text,
    "record-reference": record_text,
}
_BEFORE, _AFTER = "<!-- generated: ", " -->"


def _insert(app: Sphinx, docname: str, source: list[str]) -> None:
    """Replaces the comments of a page by the text that they name."""
    while _BEFORE in source[0]:
        before, _, rest = source[0].partition(_BEFORE)
        name, _, after = rest.partition(_AFTER)
        if name not in _PARTS:
            raise ExtensionError(f"{docname}: nothing is generated under the name {name!r}")
        source[0] = before + _PARTS[name]() + after


def setup(app: Sphinx) -> dict[str, Any]:
    """Registers the extension."""
    app.connect("source-read", _insert)
    return {"version": "1", "parallel_read_safe": True}
