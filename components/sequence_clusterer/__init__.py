"""SequenceClusterer: groups users by what the encoder learnt, and measures the grouping."""
