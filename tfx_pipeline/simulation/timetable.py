"""When events happen: sessions spread over the period, minutes apart within one."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

import numpy as np

from tfx_pipeline.simulation.population import Population
from tfx_pipeline.simulation.settings import SimulationConfig

END = int(datetime.datetime(2025, 1, 1, tzinfo=datetime.timezone.utc).timestamp())
"""The period ends here, whatever its length, so that no event lies in the future."""
DAY = 86_400
_SHARED_PEAK, _SHARED_CONCENTRATION = 15.0, 1.0
_OWN_CONCENTRATION = 8.0
_SECONDS_BETWEEN_EVENTS = 180.0


@dataclass(frozen=True)
class Timetable:
    """The events, user after user, oldest first.

    Attributes:
        offsets: int64 [U + 1], where each user's events begin.
        users: int64 [E].
        times: int64 [E], epoch seconds; strictly increasing within a user.
        sessions: int64 [E], numbers of the sessions.
        clusters: int64 [E], the cluster that the user belongs to at that time.
    """

    offsets: np.ndarray
    users: np.ndarray
    times: np.ndarray
    sessions: np.ndarray
    clusters: np.ndarray

    @property
    def positions(self) -> np.ndarray:
        """Int64 [E]: events of the user before this one."""
        return np.arange(len(self.users)) - self.offsets[self.users]


def drift_time(config: SimulationConfig) -> int:
    """Epoch seconds at which users change their cluster: a midnight in the middle."""
    return END - (config.days - config.days // 2) * DAY


def draw_timetable(
    config: SimulationConfig, population: Population, chance: np.random.Generator
) -> Timetable:
    """Draws sessions and times.

    A session begins on a uniformly random day, at an hour of the cluster's habit; its number of
    events is geometric (cut off by the user's last event).
    """
    offsets = np.concatenate([[0], np.cumsum(population.lengths)])
    users = np.repeat(np.arange(config.users), population.lengths)
    opens = chance.random(len(users)) < 1 / config.session_events
    opens[offsets[:-1]] = True
    sessions = np.cumsum(opens) - 1
    gaps = 1 + chance.exponential(_SECONDS_BETWEEN_EVENTS, len(users)).astype(np.int64)
    starts = _session_starts(config, population, users[opens], chance)
    within = np.cumsum(gaps)
    times = starts[sessions] + (within - within[opens][sessions])
    times = increasing(times, users)
    late = times >= drift_time(config)
    clusters = np.where(late, population.after[users], population.before[users])
    return Timetable(offsets, users, times, sessions, clusters)


def _session_starts(
    config: SimulationConfig,
    population: Population,
    users: np.ndarray,
    chance: np.random.Generator,
) -> np.ndarray:
    """Epoch seconds of each session, sorted within a user: int64 [sessions]."""
    days = chance.integers(config.days, size=len(users))
    late = days >= config.days // 2
    clusters = np.where(late, population.after[users], population.before[users])
    shared = chance.vonmises(_angle(_SHARED_PEAK), _SHARED_CONCENTRATION, len(users))
    peaks = 24 * np.arange(config.clusters) / config.clusters
    own = chance.vonmises(_angle(peaks)[clusters], _OWN_CONCENTRATION)
    angles = np.where(chance.random(len(users)) < config.hours, own, shared)
    seconds = (angles % (2 * np.pi)) / (2 * np.pi) * DAY
    starts = END - config.days * DAY + days * DAY + np.minimum(seconds.astype(np.int64), DAY - 1)
    return starts[np.lexsort((starts, users))]


def _angle(hour: float | np.ndarray) -> np.ndarray:
    """An hour of the day as radians in (-pi, pi], as von Mises distributions want it."""
    angle = np.asarray(hour) / 24 * 2 * np.pi
    return np.where(angle > np.pi, angle - 2 * np.pi, angle)


def increasing(times: np.ndarray, users: np.ndarray) -> np.ndarray:
    """Times moved later, as little as makes them strictly increasing within each user.

    Sessions of one user may overlap.
    """
    index = np.arange(len(times))
    # The stride keeps every user's times above those of the user before, for one running maximum.
    stride = int(times.max() - times.min()) + len(times) + 1
    shifted = times - index + users * stride
    return np.maximum.accumulate(shifted) - users * stride + index


def iso(seconds: int) -> str:
    """Epoch seconds as ISO 8601 in UTC."""
    moment = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
