"""Data: histories as columns, what the log says about itself, and the windows that a model
reads.
"""
