"""What the exit codes of `cohortrec` mean."""

OK, REFUSED, BAD_INPUT, FAILED, INTERRUPTED = 0, 1, 2, 3, 130

EXIT_CODES = """exit codes: 0 done; 1 the model failed a gate, cannot be served, was rolled back, or
something else is served by now than it was compared with, and it was not pushed; 2 something about
the input or the settings; 3 a component failed"""
