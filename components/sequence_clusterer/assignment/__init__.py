"""Every user's cluster: the splits of the specialists and of the random partition."""
