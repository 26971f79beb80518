"""The push destination as model servers see it: versions, their labels, and the files beside them.

`version_folder` changes it, all at once or not at all; `server_configs` writes what TensorFlow
Serving reads, `manifests` fills `templates/`, which Kubernetes and KServe read.
"""
