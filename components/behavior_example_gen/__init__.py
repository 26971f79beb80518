"""BehaviorExampleGen: an event log in, one tf.Example per user history out.

Light at import: the component itself (`component.py`) loads TFX.
"""
