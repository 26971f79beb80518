"""Serving: the recommender with its four signatures, its index over all items, its export."""
