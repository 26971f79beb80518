"""Asking a served model: a folder of versions on this machine, or a model server."""
