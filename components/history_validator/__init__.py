"""ExampleValidator that stops the pipeline on an anomaly that matters."""
