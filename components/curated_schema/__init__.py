"""CuratedSchema: the project's schema of a history as an artifact."""
