"""Input files and folders whose names look like patterns, or that cannot be looked for.

`--events 'log[1].csv'` is the file of exactly this name; `package:` never leads out of a package.
"""

import pytest

from components.behavior_example_gen.reading.sources import expand
from tfx_pipeline.paths.inputs import InputError, resolve_files


def _made(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")


def _names(folder, found):
    return [name.removeprefix(f"{folder}/") for name in found]


def test_a_file_is_found_by_its_exact_name(tmp_path):
    _made(tmp_path, "log[1].csv", "log1.csv", "what?.csv", "whats.csv", "a*.csv", "ab.csv")
    for name in ("log[1].csv", "what?.csv", "a*.csv"):
        (found,) = resolve_files([str(tmp_path / name)], "events")
        assert _names(tmp_path, [found]) == [name]
        assert expand([found], "event") == [found]


def test_a_folder_that_exists_is_no_pattern(tmp_path):
    _made(tmp_path, "log[1]/a.csv", "log[1]/b.csv", "log1/other.csv", "log2/other.csv")
    found = resolve_files([f"{tmp_path}/log[1]/*.csv"], "events")
    assert _names(tmp_path, found) == ["log[1]/a.csv", "log[1]/b.csv"]
    assert expand([f"{tmp_path}/log[1]"], "event") == found
    # No folder of this name: a pattern as before.
    found = resolve_files([f"{tmp_path}/log[12]/*.csv"], "events")
    assert _names(tmp_path, found) == ["log1/other.csv", "log2/other.csv"]
    found = resolve_files([f"{tmp_path}/**/*.csv"], "events")
    assert len(found) == 4


def test_what_cannot_be_looked_for_is_named(tmp_path):
    with pytest.raises(InputError, match="events: cannot look for 'xxx.*File name too long"):
        resolve_files(["x" * 300], "events")
    with pytest.raises(InputError, match="events: no file"):
        resolve_files(["a\0b"], "events")
    with pytest.raises(InputError, match="no file '~nobody-of-this-name/a.csv'"):
        resolve_files(["~nobody-of-this-name/a.csv"], "events")


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("package:schema//etc/hostname", "leads out of the package 'schema'"),
        ("package:schema/../setup.py", "leads out of the package 'schema'"),
        ("package:schema/history.pbtxt/../../setup.py", "leads out of the package"),
        ("package:no_such.sub/x", "there is no Python package 'no_such.sub'"),
        ("package:schema.no_such/x", "there is no Python package"),
        ("package:sys/x", "there is no Python package 'sys'"),
        ("package:argparse/x", "there is no Python package 'argparse'"),
        ("package:/x", "there is no Python package ''"),
        ("package:../x", "there is no Python package '..'"),
        ("package:.schema/x", "there is no Python package '.schema'"),
        ("package:schema/", "has no file ''"),
        ("package:schema", "has no file ''"),
    ],
)
def test_files_of_packages_stay_inside(pattern, message):
    with pytest.raises(InputError) as raised:
        resolve_files([pattern], "events")
    assert message in str(raised.value)
