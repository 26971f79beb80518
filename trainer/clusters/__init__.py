"""Clusters as a model sees them: what represents a user, and the rule that assigns a cluster."""
