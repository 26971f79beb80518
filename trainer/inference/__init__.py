"""The encoder laid out for answering requests; see the README beside this file."""
