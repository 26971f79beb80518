"""How long a call waits and how often it tries.

Asking for recommendations changes nothing on the server, so that every request may be repeated;
only refusals that pass with time are.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from typing import TypeVar

import tenacity

from cohortrec_client.errors import DeadlineExceeded, ServerUnavailable, ServingError

T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class Patience:
    """Limits of one call; all times in seconds.

    Attributes:
        attempts: tries in all, the first one included.
        timeout: of each try.
        deadline: of the call as a whole, with tries and pauses.
        first_pause: the pause after the first failure is chance between 0 and this, and twice as
            long after each further one, so that many clients do not come back together.
        longest_pause: no pause is chosen longer; a server that asks for more gets it.

    Raises:
        ValueError: a limit is not positive.
    """

    attempts: int = 4
    timeout: float = 2.0
    deadline: float = 10.0
    first_pause: float = 0.05
    longest_pause: float = 1.0

    def __post_init__(self) -> None:
        for name, value in dataclasses.asdict(self).items():
            if not value > 0:
                raise ValueError(f"{name} must be positive, not {value!r}")

    def call(self, attempt: Callable[[float], T]) -> T:
        """Calls `attempt` with its timeout until it succeeds or the patience ends.

        Raises:
            ServingError: of the last try.
        """
        end = time.monotonic() + self.deadline

        def once() -> T:
            left = end - time.monotonic()
            if left <= 0:
                raise DeadlineExceeded(f"no answer within {self.deadline:g} s")
            return attempt(min(self.timeout, left))

        return tenacity.Retrying(
            retry=tenacity.retry_if_exception(_passes_with_time),
            wait=self._pause,
            stop=tenacity.stop_any(
                tenacity.stop_after_attempt(self.attempts),
                tenacity.stop_before_delay(self.deadline),
            ),
            reraise=True,
        )(once)

    def _pause(self, state: tenacity.RetryCallState) -> float:
        chosen = tenacity.wait_random_exponential(self.first_pause, self.longest_pause)(state)
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after if isinstance(error, ServerUnavailable) else 0.0
        return max(chosen, asked)


def _passes_with_time(error: BaseException) -> bool:
    return isinstance(error, ServingError) and error.retryable
