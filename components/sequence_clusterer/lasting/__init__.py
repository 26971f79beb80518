"""Clusters over time: last run's clusters, numbers that last, and continued clusters."""
