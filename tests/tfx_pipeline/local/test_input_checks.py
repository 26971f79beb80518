import importlib.util

import pytest

from tfx_pipeline.local.input_checks import check_inputs
from tfx_pipeline.settings.run_config import load_config
from trainer.settings import ConfigError


def test_a_library_that_a_peer_needs_is_looked_for_before_a_run(tmp_path, monkeypatch):
    log = tmp_path / "log.csv"
    log.write_text("user_id,item_id,timestamp\na,x,1600000000\n")
    find_spec = importlib.util.find_spec

    def without_implicit(name, *package):
        return None if name == "implicit" else find_spec(name, *package)

    monkeypatch.setattr(importlib.util, "find_spec", without_implicit)
    for peers in ("[]", "[ease, gru]"):
        check_inputs(load_config(overrides=[f"combiner.peers={peers}"], events=(str(log),)))
    with pytest.raises(ConfigError, match="bpr needs the library implicit, which is not installed"):
        check_inputs(load_config(overrides=["combiner.peers=[bpr]"], events=(str(log),)))
