"""`cohortrec benchmark`: the pipeline under the protocol of the research papers."""
