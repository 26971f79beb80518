"""InfraValidator that runs a model server as a process on this machine."""
