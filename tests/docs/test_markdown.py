"""Markdown in the repository: links, paths, width of lines, length of the README."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs import markdown

WIDTH = 100
README = markdown.ROOT / "README.md"
every_file = pytest.mark.parametrize("path", markdown.files(), ids=markdown.name)


@every_file
def test_links_lead_somewhere(path: Path) -> None:
    broken = []
    for link in markdown.links(path):
        target, _, anchor = link.partition("#")
        file = (path.parent / target).resolve() if target else path
        if not file.exists() or (anchor and anchor not in markdown.anchors(file)):
            broken.append(link)
    assert not broken


@every_file
def test_named_paths_exist(path: Path) -> None:
    places = (markdown.ROOT, path.parent)
    missing = [
        named
        for named in markdown.paths_in_code(path)
        if not any(list(place.glob(named)) for place in places)
    ]
    assert not missing, f"neither beside {markdown.name(path)} nor at the root"


@every_file
def test_lines_are_wrapped(path: Path) -> None:
    wide = [
        number
        for number, line in markdown.lines_of_text(path)
        if len(line) > WIDTH and not line.lstrip().startswith("|")
    ]
    assert not wide, f"lines above {WIDTH} characters in {markdown.name(path)}"


def test_the_readme_stays_short() -> None:
    text = README.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 120
    assert len(text.split()) <= 800


def test_every_page_of_docs_is_reached_from_its_index() -> None:
    """Sphinx says so too; here it is said in seconds."""
    contents = [(p, p.read_text(encoding="utf-8")) for p in markdown.files()]
    listed = set()
    for path, text in contents:
        for block in text.split("```{toctree}")[1:]:
            entries = block.partition("```")[0].splitlines()
            for entry in entries:
                page = entry.partition("<")[2].rstrip(">") or entry.strip()
                if page and not page.startswith(":"):
                    listed |= {p.resolve() for p in path.parent.glob(f"{page}.md")}
    pages = {p.resolve() for p in (markdown.ROOT / "docs").rglob("*.md")}
    assert pages - listed == {(markdown.ROOT / "docs/index.md").resolve()}
