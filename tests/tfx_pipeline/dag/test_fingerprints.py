"""Fingerprints of code and data."""

import sys
import textwrap

import pytest

from tfx_pipeline.dag import fingerprints
from tfx_pipeline.dag.fingerprints import code_fingerprint, file_fingerprints, input_fingerprint
from tfx_pipeline.paths.inputs import InputError


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A package `shop` whose module `till` imports `drawer`, beside an unrelated `window`."""
    package = tmp_path / "shop"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "till.py").write_text("def sell():\n    from shop.drawer import coins\n")
    (package / "drawer.py").write_text("coins = 1\n")
    (package / "window.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(fingerprints, "OWN_PACKAGES", ("shop",))
    yield package
    for name in [name for name in sys.modules if name.split(".")[0] == "shop"]:
        del sys.modules[name]


def test_an_edit_changes_what_depends_on_it_and_nothing_else(project):
    before = code_fingerprint("shop.till")
    (project / "window.py").write_text("glass = 1\n")
    assert code_fingerprint("shop.till") == before
    (project / "drawer.py").write_text("coins = 2\n")
    assert code_fingerprint("shop.till") != before


def test_what_is_taken_from_a_package_does_not_stand_for_its_folder(project):
    (project / "till.py").write_text("from shop import drawer\n\n\ncoins = drawer.coins\n")
    stall = project / "stall"
    stall.mkdir()
    for name in ("__init__", "fruit", "scales"):
        (stall / f"{name}.py").write_text("")
    (project / "drawer.py").write_text("from shop.stall import fruit\n\ncoins = fruit\n")
    before = code_fingerprint("shop.till")
    (stall / "scales.py").write_text("grams = 1\n")
    (project / "window.py").write_text("glass = 1\n")
    assert code_fingerprint("shop.till") == before
    (stall / "fruit.py").write_text("apples = 1\n")
    with_apples = code_fingerprint("shop.till")
    assert with_apples != before
    (stall / "__init__.py").write_text("open = True\n")
    assert code_fingerprint("shop.till") != with_apples


def test_packages_include_their_data_files(project):
    inner = project / "stall"
    inner.mkdir()
    (inner / "__init__.py").write_text("")
    (inner / "sign.html").write_text("open")
    before = code_fingerprint("shop.stall")
    (inner / "README.md").write_text(textwrap.dedent("about"))
    assert code_fingerprint("shop.stall") == before
    (inner / "sign.html").write_text("closed")
    assert code_fingerprint("shop.stall") != before


def test_an_unknown_module_is_an_error():
    with pytest.raises(ModuleNotFoundError):
        code_fingerprint("trainer.no_such_module")


def test_data_fingerprint_follows_the_content(tmp_path):
    file = tmp_path / "events.csv"
    file.write_text("a")
    first = input_fingerprint(file_fingerprints([str(file)]))
    file.write_text("b")
    assert input_fingerprint(file_fingerprints([str(file)])) != first
    file.write_text("a")
    assert input_fingerprint(file_fingerprints([str(file)])) == first


def test_files_that_cannot_be_read_are_named(tmp_path):
    with pytest.raises(InputError, match="'gs://shop/log.csv': only a compiled pipeline reads"):
        file_fingerprints(["gs://shop/log.csv"])
    with pytest.raises(InputError, match=r"cannot read '.*gone.csv': No such file"):
        file_fingerprints([str(tmp_path / "gone.csv")])
