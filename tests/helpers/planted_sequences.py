"""A tiny sequence file whose users walk one of two shelves in order, untidy as files are."""

import random
from pathlib import Path

ITEMS_PER_SHELF = 30
SHORT = {"one": ["tea-01"], "two": ["tea-01", "tool-02"]}
"""Users whom leave-one-out cannot evaluate."""


def histories(users: int = 70, seed: int = 5) -> dict[str, list[str]]:
    """User to items, oldest first, all different; some ids are of the strange kind."""
    chance = random.Random(seed)
    found = {}
    for user in range(users):
        shelf = ("tea", "tööl/?&=,;|'😀")[user % 2]
        start = chance.randrange(ITEMS_PER_SHELF)
        found[f"u{user}"] = [
            f"{shelf}-{(start + step) % ITEMS_PER_SHELF:02d}"
            for step in range(chance.randrange(3, 10))
        ]
    return found


def write_sequences(path: Path, sequences: dict[str, list[str]]) -> Path:
    """Writes the file with a byte order mark, CR LF, tabs, blank lines and a user on two lines."""
    lines = []
    for number, (user, items) in enumerate({**sequences, **SHORT}.items()):
        separator = "\t" if number % 3 == 0 else "  "
        if number == 1:
            lines += ["", separator.join([user, *items[:2]])]
            items = items[2:]
        lines.append(separator.join([user, *items]))
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode())
    return path
