"""Fingerprints that make the cache see what TFX does not: edited code and changed input files.

TFX keys its cache on execution properties and input artifacts. Code is passed as import paths and
input files as paths, so that neither an edit nor new content would rerun anything. Both get a
hash here, which the pipeline puts into execution properties.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.metadata
import importlib.util
import platform
from collections.abc import Iterable, Sequence
from pathlib import Path

from tfx_pipeline.paths.inputs import InputError, refuse_remote

OWN_PACKAGES = ("cohortrec_client", "trainer", "components", "tfx_pipeline", "schema")
RECORDED_PACKAGES = (
    "tfx",
    "tensorflow",
    "keras",
    "keras-hub",
    "keras-tuner",
    "tensorflow-recommenders",
    "tensorflow-transform",
    "tensorflow-model-analysis",
    "apache-beam",
    "scikit-learn",
    "numpy",
    "polars",
    "pyarrow",
)


def code_fingerprint(*modules: str) -> str:
    """Hash of the sources that the given modules depend on, following imports of this project.

    Args:
        modules: dotted names of packages or modules of this project. A package stands for all
            the modules and data files in and below its folder. A package that is only imported
            stands for its `__init__.py`: the modules taken from it are followed by themselves.

    Raises:
        ModuleNotFoundError: if there is no such module.
    """
    sources: dict[str, str] = {}
    waiting = [path for module in modules for path in _files_of(module)]
    while waiting:
        path = waiting.pop()
        key = str(path)
        if key not in sources:
            sources[key] = hashlib.sha256(path.read_bytes()).hexdigest()
            if path.suffix == ".py":
                imported = _own_imports(path.read_text(encoding="utf-8"))
                waiting.extend(_source_of(name) for name in imported)
    return hashlib.sha256("\n".join(sorted(sources.values())).encode()).hexdigest()[:16]


def _files_of(module: str) -> list[Path]:
    """Source of a module; of a package, everything in and below its folder."""
    source = _source_of(module)
    if source.name != "__init__.py":
        return [source]
    return sorted(
        path
        for path in source.parent.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".md"
    )


def _source_of(module: str) -> Path:
    """The file that importing a module or package runs."""
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"no module named {module!r}")
    return Path(spec.origin)


@functools.cache
def _own_imports(source: str) -> frozenset[str]:
    """Modules of this project that a source text imports anywhere, also inside functions."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    own = {name for name in names if name.split(".")[0] in OWN_PACKAGES}
    modules = {name for name in own if _is_module(name)}
    return frozenset(parent for name in modules for parent in _with_parents(name))


def _with_parents(name: str) -> list[str]:
    """A dotted name and the packages that importing it runs: "a.b.c" gives a, a.b and a.b.c."""
    parts = name.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts) + 1)]


def _is_module(name: str) -> bool:
    """Whether a dotted name is a module (and not a class or function imported from one)."""
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def file_fingerprints(files: Iterable[str]) -> list[dict[str, str | int]]:
    """Name, size and SHA-256 of every file, in the given order.

    Raises:
        InputError: naming the file that cannot be read here.
    """
    return [_file_fingerprint(name) for name in files]


def _file_fingerprint(name: str) -> dict[str, str | int]:
    refuse_remote(name)
    path = Path(name)
    try:
        return {"file": path.name, "bytes": path.stat().st_size, "sha256": _sha256(path)}
    except OSError as error:
        raise InputError(f"cannot read {name!r}: {error.strerror}") from None


def input_fingerprint(files: Sequence[dict[str, str | int]]) -> str:
    """One hash for a list of `file_fingerprints`: what was read, whatever folder it lay in."""
    text = "\n".join(f"{file['file']} {file['sha256']}" for file in files)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that figures may depend on."""
    found = {"python": platform.python_version()}
    for package in RECORDED_PACKAGES:
        found[package] = importlib.metadata.version(package)
    return found
