"""What the site takes from the code: it is complete, and does not load TensorFlow."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.docs.markdown import ROOT


@pytest.fixture(autouse=True)
def extensions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "_ext"))


def test_every_setting_has_a_meaning() -> None:
    from settings_text import settings_text

    rows = [row for row in settings_text().splitlines() if row.startswith("| `")]
    assert len(rows) > 150
    assert [row for row in rows if row.endswith("|  |")] == []


def test_settings_show_types_bounds_and_defaults() -> None:
    from settings_text import settings_text

    text = settings_text()
    assert (
        "| `max_clusters` | `4` | whole number, ≥\N{NO-BREAK SPACE}1, ≤\N{NO-BREAK SPACE}64 |"
        in text
    )
    assert "| `split` | `temporal` | `temporal`, `leave_one_out` |" in text
    # Inherited, and from the section "Attributes:" of a docstring.
    assert "| `patience` | `1` | whole number" in text
    assert "## data.cancellation" in text


def test_the_command_line_has_every_command() -> None:
    from command_line_text import command_line_text

    from tfx_pipeline.cli import COMMANDS

    text = command_line_text()
    for command in COMMANDS:
        assert f"## cohortrec {command.__name__.rpartition('.')[2]}\n" in text
    assert "### cohortrec serving rollback" in text


def test_records_show_their_fields() -> None:
    from record_text import record_text

    assert "**BaselineRecord.**" in record_text()
    assert "| `version` | `str` |" in record_text()


def test_generating_needs_no_tensorflow() -> None:
    code = (
        "import sys; sys.path[:0] = ['docs/_ext', '.']\n"
        "import command_line_text, record_text, settings_text\n"
        "settings_text.settings_text(); command_line_text.command_line_text()\n"
        "record_text.record_text()\n"
        "sys.exit('tensorflow' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=60).returncode == 0
