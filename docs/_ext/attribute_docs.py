"""Docstrings of a class's attributes, which Python itself forgets.

An attribute is documented by a string below it, or in the section "Attributes:" of the class's
docstring. Both are read from the source, and inherited.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap

_ENTRY = re.compile(r"^    (\w+)(?: \([^)]*\))?: (.*)$")


def attribute_docs(cls: type) -> dict[str, str]:
    """Name of an attribute to its text, in one line each; those without a text are left out."""
    docs: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        if base.__module__.partition(".")[0] in ("builtins", "pydantic", "abc", "typing"):
            continue
        tree = ast.parse(textwrap.dedent(inspect.getsource(base))).body[0]
        assert isinstance(tree, ast.ClassDef)
        docs |= below_attributes(tree) | attributes_section(ast.get_docstring(tree) or "")
    return docs


def below_attributes(tree: ast.ClassDef) -> dict[str, str]:
    """The strings that stand below annotated attributes of a class."""
    docs = {}
    for entry, following in zip(tree.body, [*tree.body[1:], None], strict=True):
        if (
            isinstance(entry, ast.AnnAssign)
            and isinstance(entry.target, ast.Name)
            and isinstance(following, ast.Expr)
            and isinstance(following.value, ast.Constant)
            and isinstance(following.value.value, str)
        ):
            docs[entry.target.id] = " ".join(following.value.value.split())
    return docs


def attributes_section(docstring: str) -> dict[str, str]:
    """The entries of a docstring's section "Attributes:"."""
    _, found, section = docstring.partition("Attributes:\n")
    docs: dict[str, list[str]] = {}
    current: list[str] = []
    for line in section.splitlines() if found else ():
        if line and not line.startswith(" "):
            break
        entry = _ENTRY.match(line)
        if entry:
            current = docs[entry[1]] = [entry[2]]
        else:
            current.append(line.strip())
    return {name: " ".join(" ".join(lines).split()) for name, lines in docs.items()}
