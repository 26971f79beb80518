"""Settings: one typed tree, its presets, and how files and the command line change it."""
