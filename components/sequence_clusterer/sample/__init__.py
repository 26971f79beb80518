"""The users that the clustering is fitted on, their embeddings, and the space of these."""
