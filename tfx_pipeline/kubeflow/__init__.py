"""The pipeline on open-source Kubeflow Pipelines v2: compiled, checked, and inside its tasks."""
