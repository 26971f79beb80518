"""Text from data, made fit to be shown: one line, nothing that steers a terminal, not too long.

Titles, ids and names come from files that anybody may have written. The terminal's console and the
report page pass all their text through here; files keep it as it is.
"""

from __future__ import annotations

import re

LONGEST = 1000
"""Characters of one line, cell or label; what is longer ends in an ellipsis."""
LONGEST_TITLE = 120
"""Of an item's title, of which several stand below each other."""
MOST_LINES = 50

_MARK = "\ufffd"
_ESCAPE_SEQUENCES = re.compile(
    # Colours and cursor movements; then strings (window titles, links) up to their end.
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|\x1b[\]P^_X][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-~]"
)
_SPACE = re.compile(r"[\t-\r\x1c-\x1f\x85\u2028\u2029]+")
# Other control characters, what reverses the direction of the text after it, half characters.
_UNSHOWN = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufff9-\ufffb\ud800-\udfff]")


def shown_text(text: str, longest: int = LONGEST) -> str:
    r"""The text in one line.

    Args:
        text: any.
        longest: characters that are left.

    Returns:
        Escape sequences are gone, line breaks and tabs are spaces, and other characters that cannot
        be seen or change what stands beside them are a replacement mark.

    Example:
        >>> shown_text("\x1b[31mRed\x1b[0m\nshoe")
        'Red shoe'
    """
    if len(text) <= longest and text.isprintable():
        return text
    # A long text is cut first, so that the rest costs the same whatever comes in.
    start = text[: 4 * longest]
    start = _UNSHOWN.sub(_MARK, _SPACE.sub(" ", _ESCAPE_SEQUENCES.sub("", start)))
    if len(start) <= longest and len(text) <= 4 * longest:
        return start
    return f"{start[: longest - 1].rstrip()}…"


def shown_lines(text: str) -> str:
    """The lines of a message of ours, each fit to be shown."""
    lines = text.splitlines()
    shown = [shown_text(line) for line in lines[:MOST_LINES]]
    return "\n".join([*shown, "…"] if len(lines) > MOST_LINES else shown)
