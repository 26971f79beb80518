"""Both sides of the throughput benchmark train on the same samples, or it says that they do not."""

from __future__ import annotations

import sys
from collections import Counter

import numpy as np
import pytest

from tests.helpers.repository import REPOSITORY

pytestmark = pytest.mark.slow

BEAUTY = REPOSITORY.parent / "shared" / "data" / "beauty" / "sequences.txt"


@pytest.fixture(autouse=True)
def benchmarks_on_path(monkeypatch):
    monkeypatch.syspath_prepend(str(REPOSITORY / "benchmarks"))
    yield
    for name in ("corpus", "encoder_training", "throughput", "stopwatch"):
        sys.modules.pop(name, None)


def test_input_holds_exactly_the_samples_of_the_reference(tmp_path):
    from corpus import read_corpus
    from encoder_training import build_model, corpus_histories, sample_batches

    rng = np.random.default_rng(0)
    rows = [rng.integers(100, 140, size).astype(str) for size in (2, 3, 4, 9, 70)]
    path = tmp_path / "sequences.txt"
    path.write_text("".join(f"u{i} {' '.join(row)}\n" for i, row in enumerate(rows)))
    corpus = read_corpus(path)
    histories = corpus_histories(corpus)
    batches = sample_batches(histories, build_model(histories, corpus.items), 10_000, 8, 0)

    drawn: Counter[tuple[tuple[int, ...], int]] = Counter()
    for inputs, targets in batches.dataset().take(batches.steps_per_epoch):
        for window, target in zip(inputs["item"].numpy(), targets.numpy(), strict=True):
            drawn[tuple(window[window > 0][::-1].tolist()), int(target[0])] += 1
    wanted = Counter((tuple(prefix), target) for prefix, target in corpus.samples(50))
    assert drawn == wanted
    assert len(batches) == sum(wanted.values()) == 1 + 6 + 67


@pytest.mark.skipif(not BEAUTY.exists(), reason="shared/data/beauty is not here")
def test_beauty_has_the_published_number_of_prefixes():
    from corpus import read_corpus

    assert sum(1 for _ in read_corpus(BEAUTY).samples(50)) == 131_413


def run(**changes):
    facts = {"samples": 10, "items": 5, "samples_per_second": 30.0, "others_share": 0.0}
    return {**facts, **changes}


def test_ratio_is_that_of_the_medians():
    from throughput import compare

    ours = [run(samples_per_second=rate) for rate in (30.0, 90.0, 60.0)]
    reference = [run(samples_per_second=rate) for rate in (20.0, 10.0, 30.0)]
    result = compare({"cohortrec": ours, "reference": reference})
    assert result["ratio"] == 3.0
    assert not result["disturbed"]
    reference[1]["others_share"] = 0.2
    assert compare({"cohortrec": ours, "reference": reference})["disturbed"]


@pytest.mark.parametrize("fact", ["samples", "items"])
def test_different_work_is_not_compared(fact):
    from throughput import compare

    with pytest.raises(SystemExit, match=f"differ in {fact}"):
        compare({"cohortrec": [run()], "reference": [run(**{fact: 4})]})
