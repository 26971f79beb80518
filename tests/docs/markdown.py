"""The Markdown files of the project, and what can be found in one without a parser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tests.helpers.repository import REPOSITORY as ROOT

_OTHERS = ("build", "dist", "out", "shared", "tests")
_FENCE = re.compile(r"^\s*(```+|~~~+)")
_LINK = re.compile(r"\]\(([^()\s]+)\)")
_CODE = re.compile(r"`([^`\n]+)`")
_PATH = re.compile(r"[\w.*-]+(?:/[\w.*-]+)+\.(?:py|md|pbtxt|yaml|toml)")
_HEADING = re.compile(r"^#{1,6} +(.+)$", re.MULTILINE)


def files() -> list[Path]:
    """Every Markdown file; what runs and tools leave in the checkout is none of them."""
    folders = [path for path in ROOT.iterdir() if path.is_dir() and path.name not in _OTHERS]
    inside = [p for folder in folders if folder.name[0] != "." for p in folder.rglob("*.md")]
    return sorted([*ROOT.glob("*.md"), *inside])


def name(path: Path) -> str:
    """How a message calls the file."""
    return path.relative_to(ROOT).as_posix()


def lines_of_text(path: Path) -> Iterator[tuple[int, str]]:
    """Numbered lines that stand in no block of code."""
    fence = ""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        mark = _FENCE.match(line)
        if fence:
            fence = "" if mark and line.strip() == fence else fence
        elif mark:
            fence = mark[1]
        else:
            yield number, line


def text(path: Path) -> str:
    """The file without its blocks of code."""
    return "\n".join(line for _, line in lines_of_text(path))


def links(path: Path) -> list[str]:
    """Targets of links into the repository."""
    return [target for target in _LINK.findall(_CODE.sub("", text(path))) if "://" not in target]


def paths_in_code(path: Path) -> list[str]:
    """Paths of files that are named in backticks."""
    return [code for code in _CODE.findall(text(path)) if _PATH.fullmatch(code)]


def anchors(path: Path) -> set[str]:
    """What `#…` in a link may name, as GitHub and the site make it of headings."""
    headings = _HEADING.findall(text(path))
    shown = [re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower() for heading in headings]
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in shown}
