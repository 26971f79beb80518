"""The DAG, its settings and how to run it, in layers; each imports only those above it here.

    paths/, terminal/      what a user may name as input | what a person sees
    settings/, simulation/ one typed tree with presets | shops with planted clusters
    serving/               asking a served model
    deployment/            versions of the model, their labels, Kubernetes files
    dag/                   which components run, on what; gates, pushing, fingerprints
    local/ | kubeflow/     the runner on this machine | the compiler for Kubeflow Pipelines
    benchmark/             the protocol of the research papers
    commands/, cli         the command line

Importing this package sets the Keras switches (see `trainer`).
"""

import trainer  # noqa: F401
