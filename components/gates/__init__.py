"""The gates: their settings, what TFMA is asked, what it answered, and what became of the model."""
