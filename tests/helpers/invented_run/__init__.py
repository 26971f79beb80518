"""An invented run: the artifacts that its components would leave, one file for each kind."""
