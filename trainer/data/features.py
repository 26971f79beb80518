"""Names and sizes of the event features that Transform makes (`trainer/preprocessing.py`)."""

from __future__ import annotations

from trainer import raw_history

# Names of the transformed event features, aligned with each other.
ITEM = "item"
ACTION = "action"
CATEGORY = "category"
GAP = "gap"
HOUR = "hour"
WEEKDAY = "weekday"
PRICE = "price"
QUANTITY = "quantity"
TIME = "time"
EVENT_COLUMNS = (ITEM, ACTION, CATEGORY, GAP, HOUR, WEEKDAY, PRICE, QUANTITY, TIME)
# Not aligned with the events.
TARGET = "target"
FIRST_TARGET = raw_history.FIRST_TARGET

ITEM_VOCABULARY = "items"
ACTION_VOCABULARY = "actions"
CATEGORY_VOCABULARY = "categories"

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
# Seconds between an event and the one before it. The first bucket (0) is "no event before".
_WITHIN_A_DAY = (1, 10, _MINUTE, 10 * _MINUTE, _HOUR, 6 * _HOUR)
GAP_BOUNDARIES = _WITHIN_A_DAY + tuple(days * _DAY for days in (1, 2, 4, 7, 14, 30, 90, 365))
GAP_BUCKETS = len(GAP_BOUNDARIES) + 2
HOURS = 25
WEEKDAYS = 8
