"""Paths: what a user may name as input, and where a run keeps what it makes."""
