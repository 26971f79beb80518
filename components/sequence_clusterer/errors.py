"""The error that says why users cannot be clustered, or clusters not be compared or continued."""


class ClusteringError(ValueError):
    """The users cannot be clustered; the message says why and what to do."""
