"""What the tests of the trainers share."""

import pytest

from trainer import encoder_trainer


@pytest.fixture
def without_export(monkeypatch):
    """The encoder's Trainer leaves the signatures out, which take longer than its training."""
    monkeypatch.setattr(encoder_trainer, "save_recommender", lambda *_: None)
