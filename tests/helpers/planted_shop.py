"""A tiny shop whose customers come in two groups, each walking its own shelf in order."""

import csv
import random
from pathlib import Path

GROUPS = ("tea", "tool")
ITEMS_PER_GROUP = 25
START = 1_700_000_000
DAY = 86_400


def write_events(
    path: Path, users: int = 200, events: int = 15, seed: int = 3, favourites: float = 0.0
) -> Path:
    """Writes a CSV log: after item i of a shelf mostly comes item i + 1.

    With `favourites`, a customer takes his one favourite item so often in between. No rule that
    counts knows both what follows and what is bought again; a model does.
    """
    chance = random.Random(seed)
    rows: list[tuple[str, str, int, str]] = []
    for user in range(users):
        group = GROUPS[user % len(GROUPS)]
        item = chance.randrange(ITEMS_PER_GROUP)
        time = START + chance.randrange(30 * DAY)
        favourite = chance.randrange(ITEMS_PER_GROUP) if favourites else 0
        for _ in range(events):
            if favourites and chance.random() < favourites:
                rows.append((f"u{user:03d}", f"{group}-{favourite:02d}", time, "purchase"))
                time += chance.randrange(DAY, 4 * DAY)
                continue
            rows.append((f"u{user:03d}", f"{group}-{item:02d}", time, "purchase"))
            step = 1 if chance.random() < 0.9 else chance.randrange(ITEMS_PER_GROUP)
            item = (item + step) % ITEMS_PER_GROUP
            time += chance.randrange(DAY, 4 * DAY)
    rows.sort(key=lambda row: row[2])
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["user_id", "item_id", "timestamp", "action"])
        writer.writerows(rows)
    return path


def write_labels(path: Path, users: int = 200) -> Path:
    """Writes the group of every customer, in the column `shelf`."""
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["user_id", "shelf"])
        writer.writerows([f"u{user:03d}", GROUPS[user % len(GROUPS)]] for user in range(users))
    return path


def write_items(path: Path) -> Path:
    """Writes the items file with a title and category for every item."""
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["item_id", "title", "category"])
        for group in GROUPS:
            for item in range(ITEMS_PER_GROUP):
                writer.writerow([f"{group}-{item:02d}", f"{group.title()} number {item}", group])
    return path
