"""One file of many that cannot be used at all was lost among the counts of the whole log.

And what the quarantine says of its rows must be harmless in a spreadsheet.
"""

from __future__ import annotations

from pathlib import Path

from tests.helpers.behavior_example_gen_runs import ingest, shop, table


def test_has_a_note_of_its_own(tmp_path: Path) -> None:
    files = []
    for number in range(3):
        files.append(tmp_path / f"part{number}.csv")
        files[-1].write_text(table(shop(users=20)[number::3]))
    files.append(tmp_path / "part3.csv")
    files[-1].write_text(table([["=1+2", "i1", "soon"], ["u1", "i1", "later"]]))
    files.append(tmp_path / "part4.csv")
    files[-1].write_text(table([]))
    result = ingest(tmp_path, files)
    [bad, empty] = [note for note in result.quality["notes"] if note.startswith("part")]
    assert bad == (
        "part3.csv: 2 of its 2 rows cannot be used, mostly bad_timestamp (2), e.g. part3.csv line "
        "2: =1+2,i1,soon"
    )
    assert empty == "part4.csv: has no rows"
    assert [row["content"] for row in result.quarantine] == ["'=1+2,i1,soon", "u1,i1,later"]
