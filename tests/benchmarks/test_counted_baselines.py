import sys

import numpy as np
import pytest

from tests.helpers.basket_logs import basket_log
from tests.helpers.repository import BENCHMARKS
from trainer.data.histories import Histories


@pytest.fixture
def counted_baselines(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import counted_baselines

    yield counted_baselines
    sys.modules.pop("counted_baselines")


def with_targets(log: Histories, seed: int) -> Histories:
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 4, len(log))
    return Histories(
        log.columns,
        log.splits,
        rng.integers(1, 10, sizes.sum()).astype(np.int32),
        np.concatenate([[0], np.cumsum(sizes)]),
        log.first_target,
    )


def test_the_table_has_both_targets_and_every_kind(
    counted_baselines, capsys: pytest.CaptureFixture[str]
) -> None:
    splits = {
        "train": basket_log(40, 9, 1),
        "validation": with_targets(basket_log(20, 9, 2), 3),
        "test": with_targets(basket_log(25, 9, 4), 5),
    }
    table = counted_baselines.measure(splits, items=9, exclude_seen=False, seed=1)
    assert len(table) == 12
    assert {line["target"] for line in table} == {"next item", "next basket"}
    assert all(line["test_users"] == 25 and 0 < line["test_ndcg@10"] < 1 for line in table)
    shown = capsys.readouterr().out
    assert "next basket: 20 validation users, 25 test users" in shown
    assert "TIFU-KNN" in shown


def test_a_folder_without_splits_is_named(
    counted_baselines, monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    monkeypatch.setattr(sys, "argv", ["counted_baselines.py", str(tmp_path), str(tmp_path)])
    with pytest.raises(SystemExit, match="has no folder Split-train; give the artifact"):
        counted_baselines.main()
