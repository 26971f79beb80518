"""What the tests of the trainers share."""

import pytest

from trainer import encoder_trainer, specialist_trainer


@pytest.fixture
def without_export(monkeypatch):
    """Trainers leave the signatures out, which take longer than so short a training."""
    for run in (encoder_trainer, specialist_trainer):
        monkeypatch.setattr(run, "save_recommender", lambda *_: None)
