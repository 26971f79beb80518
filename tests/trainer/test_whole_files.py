"""Files that appear whole or not at all."""

import pytest

from trainer.whole_files import whole_file, write_whole


def test_what_fails_leaves_the_old_file_and_nothing_beside_it(tmp_path):
    write_whole(tmp_path / "state.json", "old")
    with pytest.raises(RuntimeError), whole_file(tmp_path / "state.json") as scratch:
        scratch.write_text("half")
        raise RuntimeError
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"state.json": "old"}


def test_the_new_file_takes_the_place_at_the_end(tmp_path):
    file = tmp_path / "best.weights.h5"
    with whole_file(file) as scratch:
        # Keras wants the ending.
        assert scratch.parent == tmp_path
        assert scratch.name.endswith(".weights.h5")
        scratch.write_text("new")
        assert not file.exists()
    assert file.read_text() == "new"
    assert file.stat().st_mode & 0o777 == 0o644
    assert list(tmp_path.iterdir()) == [file]


def test_the_same_text_is_not_written_again(tmp_path):
    write_whole(tmp_path / "a", "one")
    before = (tmp_path / "a").stat().st_ino
    write_whole(tmp_path / "a", "one")
    assert (tmp_path / "a").stat().st_ino == before
    write_whole(tmp_path / "a", "two")
    assert (tmp_path / "a").read_text() == "two"
