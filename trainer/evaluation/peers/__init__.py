"""Published recommenders that are trained only to be compared with: what others would have used.

A peer is one file with one `Peer`, except that GRU and LSTM share theirs. `selection.py` trains
those that were asked for. Peers decide nothing.
"""
