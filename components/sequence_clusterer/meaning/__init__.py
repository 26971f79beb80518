"""What the clusters mean: profiles, names, tests of traits, agreement with outside labels."""
