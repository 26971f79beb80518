"""The curated schema of a user history; see `history.pbtxt`."""
