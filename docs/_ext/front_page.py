"""Sphinx extension: `index.html` at the root of the site leads to the first page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

_PAGE = """<!doctype html>
<meta charset="utf-8">
<title>cohortrec</title>
<meta http-equiv="refresh" content="0; url={target}">
<a href="{target}">cohortrec</a>
"""


def _write(app: Sphinx, exception: Exception | None) -> None:
    if exception is None and app.builder.format == "html":
        target = app.builder.get_target_uri(app.config.root_doc)
        Path(app.outdir, "index.html").write_text(_PAGE.format(target=target), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Registers the extension."""
    app.connect("build-finished", _write)
    return {"version": "1", "parallel_read_safe": True}
