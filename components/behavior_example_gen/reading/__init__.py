"""Reading: files of several formats as batches of text columns, with line numbers."""
