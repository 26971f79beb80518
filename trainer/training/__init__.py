"""Training: losses, batches, optimizer, early stopping, and the search for hyper-parameters."""
