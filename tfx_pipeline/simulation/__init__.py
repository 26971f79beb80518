"""Shop logs with planted clusters, for checking an evaluation against a known truth."""

from tfx_pipeline.simulation.settings import SimulationConfig
from tfx_pipeline.simulation.simulated_log import SimulatedLog, claim_directory, simulate

__all__ = ["SimulatedLog", "SimulationConfig", "claim_directory", "simulate"]
