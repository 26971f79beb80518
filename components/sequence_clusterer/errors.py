"""The error that says why users cannot be clustered, or clusters not be compared or continued."""

from trainer.errors import UserError


class ClusteringError(UserError):
    """The users cannot be clustered; the message says why and what to do."""
