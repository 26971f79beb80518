"""RunReport: one self-contained HTML page of a run, with data, training, clusters and results."""
