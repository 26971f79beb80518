"""Serving: the recommender with its signatures, its index over all items, its export."""
