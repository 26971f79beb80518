"""Beam workers in other threads and processes leave what one in-memory worker leaves.

Nothing but files and pickles can reach a process of its own, so this is also what any cluster's
runner needs of the steps. TFX's own executors are tried by benchmarks/beam_runners.py.
"""

import pytest

from components.behavior_example_gen.steps import beam_pipeline
from tests.helpers.behavior_example_gen_runs import ingest, shop, table
from trainer.errors import DataError

pytestmark = pytest.mark.slow

ITEMS = "item_id,title,category\n" + "".join(f"i{n},Item {n},c{n % 2}\n" for n in range(5))


@pytest.fixture(autouse=True)
def several_partitions(monkeypatch):
    monkeypatch.setattr(beam_pipeline, "_EVENTS_PER_PARTITION", 40)


def _arguments(mode):
    # With a name of an image, TFX does not pack itself for workers, which takes a few seconds.
    return [
        f"--direct_running_mode={mode}",
        "--direct_num_workers=2",
        "--sdk_container_image=none",
    ]


def _ingest(folder, beam_args=()):
    folder.mkdir()
    halves = []
    for n, rows in enumerate((shop()[::2], shop()[1::2])):
        path = folder / f"events{n}.csv"
        path.write_text(table(rows), encoding="utf-8")
        halves.append(path)
    return ingest(folder, halves, ITEMS, beam_args=beam_args, min_item_events=1)


@pytest.mark.parametrize("mode", ["multi_threading", "multi_processing"])
def test_the_histories_are_the_same(mode, tmp_path):
    alone = _ingest(tmp_path / "alone")
    together = _ingest(tmp_path / mode, _arguments(mode))
    assert len(list((alone.folder / "examples/1/Split-train").iterdir())) > 1
    for split in ("train", "validation", "test"):
        assert together.splits[split] == alone.splits[split]
        assert alone.splits[split]
    assert together.items.equals(alone.items)
    assert together.quality == alone.quality


def test_a_data_error_comes_out_of_a_process(tmp_path):
    rows = [["u", "i", "no time"] for _ in range(20)]
    with pytest.raises(DataError, match="max_bad_fraction"):
        ingest(tmp_path, table(rows), beam_args=_arguments("multi_processing"))
