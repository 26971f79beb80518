"""The logger of what is shown to the person who waits."""

from __future__ import annotations

import logging

PROGRESS_LOGGER = "cohortrec.progress"

progress = logging.getLogger(PROGRESS_LOGGER)
"""One line each for steps that take long; the terminal shows them, a log file keeps them."""
