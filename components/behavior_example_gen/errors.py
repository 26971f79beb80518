"""The error that tells a user what is wrong with their data."""


class DataError(ValueError):
    """The input cannot be used. The message says which file, column or setting, and what to do."""
