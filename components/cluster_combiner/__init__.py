"""ClusterCombiner: one SavedModel out of the global encoder and its specialists.

Light at import: the component itself (`component.py`) loads TFX.
"""
