"""A test double of the open-source Kubeflow Pipelines v2 backend, without a cluster.

It does what the backend's driver and launcher do for a compiled pipeline of containers, one after
the other or side by side, with a folder in place of the object store and one in place of each pod:

- `specification` reads the file, and refuses whatever this double does not do;
- `inputs` resolves parameters and artifacts as the driver does, `conditions` its trigger policies;
- `artifacts` passes outputs on as the backend's ML Metadata records do, which lose the types;
- `launcher` runs the container's own command and copies artifacts in and out;
- `backend` walks the DAG.

It leaves out the cache, retries, resources and volumes (a volume is a folder of this machine).
"""
