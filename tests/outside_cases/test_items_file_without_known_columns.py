"""An items file in which no column but the id was recognised gave no titles; nothing was said."""

from __future__ import annotations

from pathlib import Path

from components.behavior_example_gen.config import DataConfig
from components.behavior_example_gen.reading import sources


def _notes(path: Path, **settings: object) -> list[str]:
    [source] = sources.item_sources([str(path)], DataConfig.from_dict(settings))
    return source.notes


def test_is_told_with_the_nearest_names(tmp_path: Path) -> None:
    path = tmp_path / "items.csv"
    path.write_text("item_id,titel,kategorie\ni1,Hut,Mode\n")
    [note] = _notes(path)
    assert note.startswith("items.csv: says nothing about its items")
    assert "no column is called title, category, brand, price" in note
    assert "Columns found: item_id, titel, kategorie" in note
    assert "data.items_columns.title=titel" in note
    assert "data.items_columns.category=kategorie" in note
    assert _notes(path, items_columns={"title": "titel"}) == []
    nothing = dict.fromkeys(["title", "category", "brand", "price"])
    assert _notes(path, items_columns=nothing) == []
