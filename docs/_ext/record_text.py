"""The reference of the artifact files, from the record classes of the components.

Whoever writes a file has a class for it in `record.py`, or in `NAME_record.py` where there are
several. Only their source is read: importing a component loads TensorFlow.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from attribute_docs import attributes_section, below_attributes

_ROOT = Path(__file__).parents[2]
_FILE = re.compile(r"`([\w.]+)`")


def record_text() -> str:
    """A heading for each file of records, and a table for each class in it."""
    lines: list[str] = []
    paths = [*_ROOT.glob("components/*/*record.py"), *_ROOT.glob("trainer/*/*record.py")]
    for path in sorted(paths):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        classes = [entry for entry in tree.body if isinstance(entry, ast.ClassDef)]
        tables = [table for cls in classes if (table := list(_table(cls)))]
        if tables:
            about = _first_line(ast.get_docstring(tree))
            file = _FILE.match(about)
            lines += [f"### {file[1] if file else path.parent.name}", ""]
            lines += [f"`{path.relative_to(_ROOT).as_posix()}`. {about}", ""]
            lines += [line for table in tables for line in table]
    return "\n".join(lines)


def _table(cls: ast.ClassDef) -> Iterator[str]:
    """The fields of one class, with their types as written and their texts."""
    fields = [
        entry
        for entry in cls.body
        if isinstance(entry, ast.AnnAssign)
        and isinstance(entry.target, ast.Name)
        and not entry.target.id.startswith("_")
        and not ast.unparse(entry.annotation).startswith("ClassVar")
    ]
    if not fields:
        return
    docs = _documented(cls)
    yield from (f"**{cls.name}.** {_first_line(ast.get_docstring(cls))}", "")
    yield from ("| field | type | meaning |", "|---|---|---|")
    for field in fields:
        name = ast.unparse(field.target)
        kind = ast.unparse(field.annotation).replace("|", "\\|")
        yield f"| `{name}` | `{kind}` | {docs.get(name, '')} |".replace("\n", " ")
    yield ""


def _documented(cls: ast.ClassDef) -> dict[str, str]:
    docs = attributes_section(ast.get_docstring(cls) or "") | below_attributes(cls)
    return {name: text.replace("|", "\\|") for name, text in docs.items()}


def _first_line(docstring: str | None) -> str:
    return (docstring or "").split("\n\n")[0].replace("\n", " ")
