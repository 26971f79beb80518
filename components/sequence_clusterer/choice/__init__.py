"""The choice of K: measures of each candidate, stability, separation, and the decision."""
