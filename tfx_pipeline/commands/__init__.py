"""The commands of `cohortrec`, one a file; `cli` puts them together.

TensorFlow and TFX take many seconds to import, so that each command imports what it needs when it
runs; `--help` and a mistyped option answer at once.
"""
