"""Runs on this machine: the runner, its directory, and what is shown of the results."""
