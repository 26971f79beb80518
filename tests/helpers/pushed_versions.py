"""A push destination with models that are only files, for tests of what happens around them."""

import json
from pathlib import Path


def write_model(folder: Path, identity: str | None = None, **description: object) -> Path:
    """Writes a folder that looks like a SavedModel."""
    (folder / "assets.extra").mkdir(parents=True, exist_ok=True)
    (folder / "variables").mkdir(exist_ok=True)
    (folder / "variables" / "variables.index").write_bytes(b"\0" * 2000)
    (folder / "saved_model.pb").write_text("graph")
    if identity is not None:
        content = json.dumps({"id": identity, **description})
        (folder / "assets.extra" / "model.json").write_text(content)
    return folder


def write_model_id(model: Path, identity: str) -> None:
    """Makes a copy of a SavedModel one of another model."""
    path = model / "assets.extra" / "model.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "id": identity}))


def write_versions(root: Path, *versions: int) -> Path:
    """Writes versions as a Pusher of TFX leaves them, without labels: model `m7` is version 7."""
    for version in versions:
        write_model(root / str(version), f"m{version}")
    return root


def visible(root: Path) -> list[int]:
    """What a model server finds there: children whose names are numbers."""
    return sorted(int(path.name) for path in root.iterdir() if path.name.lstrip("+-").isdecimal())
