"""The steps from rows to histories: read, partition by user, build histories, split."""
