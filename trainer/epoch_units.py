"""Units of epoch times: the size of a number tells whether it counts seconds or something finer.

The ingestion and the served model read times by the same bounds, each event by itself.
"""

from __future__ import annotations

EPOCH_UNITS = ((10**11, 1), (10**14, 1_000), (10**17, 1_000_000))
"""Bound and units a second. A number below the first bound counts seconds: from there on it would
be the year 5138 or later. Below the second it counts milliseconds, below the third microseconds."""
FINEST_UNIT = 1_000_000_000
"""Units a second of what is beyond all bounds: nanoseconds."""
