"""`cohortrec recommend --shelf` and `--asks`, of a model in a folder."""

import numpy as np
import pytest

from tfx_pipeline.cli import main
from trainer.serving.baseline_recommender import BaselineRecommender, export_baseline

pytestmark = pytest.mark.slow

ITEMS = [b"tea", b"milk", b"bread", b"soap"]
COUNTS = np.array([4, 3, 2, 1])


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A model that may recommend items of the history, and one that leaves them out."""
    root = tmp_path_factory.mktemp("models")
    for name, exclude_seen in (("buys_again", False), ("leaves_out", True)):
        model = BaselineRecommender(ITEMS, COUNTS, not exclude_seen, exclude_seen, top_k=3)
        export_baseline(model, str(root / name / "12"), "test")
    return root


def _listed(text):
    return [line.split()[1] for line in text.splitlines() if line.lstrip()[:1].isdigit()]


@pytest.mark.parametrize(
    ("shelf", "items"),
    [
        ("all", ["soap", "bread", "tea"]),
        ("own", ["soap", "bread"]),
        ("new", ["tea", "milk"]),
    ],
)
def test_each_shelf_lists_its_items(folders, capsys, shelf, items):
    model = str(folders / "buys_again" / "12")
    asked = ["recommend", "--model", model, "--history", "soap,bread,soap", "--shelf", shelf]
    assert main(asked) == 0
    shown = capsys.readouterr().out
    assert _listed(shown) == items
    assert ("the history has no more" in shown) == (shelf == "own")


def test_a_model_that_leaves_seen_items_out_says_what_to_ask(folders, capsys):
    model = str(folders / "leaves_out" / "12")
    asked = ["recommend", "--model", model, "--history", "soap", "--shelf", "new"]
    assert main(asked) == 2
    told = capsys.readouterr().err
    assert "version 12 does not serve the shelf 'new', only 'all'" in told
    assert "ask for 'all'" in told


@pytest.mark.parametrize(("option", "allowed"), [("--shelf", "all"), ("--asks", "target")])
def test_an_unknown_word_is_refused(capsys, option, allowed):
    with pytest.raises(SystemExit):
        main(["recommend", "--model", "x", "--history", "", option, "old"])
    told = capsys.readouterr().err
    assert option in told
    assert allowed in told


def test_a_model_without_target_actions_says_why_it_is_not_asked_for_any(folders, capsys):
    asked = ["recommend", "--model", str(folders / "buys_again" / "12"), "--history", "soap"]
    assert main([*asked, "--asks", "any"]) == 2
    told = capsys.readouterr().err
    assert "version 12 cannot be asked for 'any', only for 'target'" in told
    assert "data.target_actions" in told
    assert main([*asked, "--asks", "target"]) == 0
