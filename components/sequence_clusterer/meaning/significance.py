"""Is a cluster's figure more than chance: tests and intervals with users as the units.

Events of one user are not independent, so everything here compares users: the users of a cluster
with all others. The clusters were made from the same users, so a small p-value says what tells the
clusters apart, never that the clusters are real (Gao, Bien & Witten 2022, "Selective inference for
hierarchical clustering").
"""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt
from scipy import special, stats

Array = npt.NDArray[np.float64]

FALSE_DISCOVERY_RATE = 0.05
# With fewer users on either side the normal approximations here are not good enough (Mann &
# Whitney 1947 found theirs close from eight on), and nothing is called significant.
LEAST_USERS = 8
_NORMAL_975 = 1.959964
_NEGLIGIBLE = 1e-12


@dataclasses.dataclass(frozen=True)
class Sums:
    """Sums of one figure over the users of a group; arrays of one shape, an entry a figure.

    Attributes:
        users: how many users.
        total: sum of the figure over them.
        squares: sum of its squares.
        cubes: sum of its cubes.
    """

    users: Array
    total: Array
    squares: Array
    cubes: Array

    def without(self, part: Sums) -> Sums:
        """The users who are not in `part`."""
        return Sums(
            self.users - part.users,
            self.total - part.total,
            self.squares - part.squares,
            self.cubes - part.cubes,
        )

    @property
    def mean(self) -> Array:
        """Mean over users; 0 without users."""
        return self.total / np.maximum(self.users, 1)

    @property
    def variance(self) -> Array:
        """Sample variance over users; 0 with fewer than two."""
        centred = self.squares - self.users * self.mean**2
        return np.maximum(centred, 0.0) / np.maximum(self.users - 1, 1)

    @property
    def skewness(self) -> Array:
        """Third standardised moment over users; 0 where they do not differ."""
        users, mean = np.maximum(self.users, 1), self.mean
        second = np.maximum(self.squares / users - mean**2, 0.0)
        third = self.cubes / users - 3.0 * mean * self.squares / users + 2.0 * mean**3
        some = second > _NEGLIGIBLE * mean**2
        return np.where(some, third / np.where(some, second, 1.0) ** 1.5, 0.0)


@dataclasses.dataclass(frozen=True)
class TestValues:
    """How many standard errors groups' means lie from the mean of everyone.

    Attributes:
        z: the distance; 0 where there is nothing to compare.
        skewness: of its distribution under the null hypothesis.
    """

    __test__ = False  # not a test of pytest's

    z: Array
    skewness: Array

    @classmethod
    def of(cls, group: Sums, everyone: Sums) -> TestValues:
        """Compares a group with random draws of as many users of everyone, without replacement.

        The distance is the test value of Lebart, Morineau & Piron (1995), which characterises
        clusters in FactoMineR's `catdes`. Its variance is that of everyone, so that a small group
        whose users happen to agree does not seem certain. What users have is very skewed, and so
        is its mean over few of them; the skewness of a mean under random draws is known (Mielke &
        Berry 2007, "Permutation Methods"). On ranks it is the Mann-Whitney test corrected for ties.

        Args:
            group: some of the users.
            everyone: all users, the group included.
        """
        users = np.maximum(group.users, 1)
        drawn = group.users / np.maximum(everyone.users, 1)
        rest = np.maximum(1.0 - drawn, 0.0)
        error = np.sqrt(everyone.variance / users * rest)
        # Equal values leave a rest of rounding in the variance, which is no spread.
        some = error > 1e-9 * np.abs(everyone.mean)
        z = np.where(some, (group.mean - everyone.mean) / np.where(some, error, 1.0), 0.0)
        skewness = (
            everyone.skewness * (1.0 - 2.0 * drawn) / np.sqrt(users * np.where(some, rest, 1.0))
        )
        return cls(z, np.where(some, skewness, 0.0))

    def more(self) -> Array:
        """p-values for more than chance (Pearson type III, which has the skewness)."""
        return stats.pearson3.sf(self.z, self.skewness)

    def different(self) -> Array:
        """p-values for a difference in either direction: twice that of the nearer tail."""
        tails = np.minimum(self.more(), stats.pearson3.cdf(self.z, self.skewness))
        return np.minimum(2.0 * tails, 1.0)


def exact_more(having: Array, users: Array, having_all: Array, users_all: Array) -> Array:
    """Fisher's exact test for over-representation, one-sided.

    P(X >= having) for the hypergeometric X, the number of those who have something among `users`
    drawn from `users_all`, of whom `having_all` have it. The tail is summed over all tests at
    once, because scipy takes one test after the other, a third of a millisecond each.

    Args:
        having: users of the group who have it, float [n], whole numbers.
        users: users of the group.
        having_all: users who have it, the group's included.
        users_all: all users.

    Returns:
        p-values [n]; 1 where no more have it than by chance, which is never significant.
    """
    having, users, having_all, users_all = np.broadcast_arrays(
        *(np.asarray(values, float) for values in (having, users, having_all, users_all))
    )
    result = np.ones(having.shape)
    more_than_chance = having * users_all > users * having_all
    x, n, m, total = (values[more_than_chance] for values in (having, users, having_all, users_all))
    first = np.exp(_log_choose(m, x) + _log_choose(total - m, n - x) - _log_choose(total, n))
    # Terms after the first, relative to it; above the mean each is smaller than the one before.
    sums, term, active = np.ones(len(x)), np.ones(len(x)), np.arange(len(x))
    while len(active):
        a, b, c, d = x[active], n[active], m[active], total[active]
        term = term * (c - a) * (b - a) / ((a + 1.0) * (d - c - b + a + 1.0))
        sums[active] += term
        x[active] += 1.0
        going_on = term > _NEGLIGIBLE * sums[active]
        active, term = active[going_on], term[going_on]
    result[more_than_chance] = np.minimum(first * sums, 1.0)
    return result


def _log_choose(n: Array, k: Array) -> Array:
    return special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1)


def lift_interval(group: Sums, everyone: Sums) -> tuple[Array, Array]:
    """95 % interval of a lift: the group's mean over everyone's, of a figure that is >= 0.

    The logarithm of group over *others* is taken as normal, with its variance by the delta method
    (for shares of users that is Katz et al. 1978), and the interval is brought to group over
    everyone: with w the group's share of the users, lift = r / (w r + 1 - w), which rises with r.
    Where nobody in the group or nobody else has any, half a user who has it and half a user who
    has not are added to both (as Walter 1975 does for ratios of shares).

    Returns:
        Lower and upper end, the lift between them; NaN where there is nobody else, or nobody has
        any.
    """
    others = everyone.without(group)
    typical = everyone.squares / np.where(everyone.total > 0, everyone.total, np.nan)
    none = (group.total <= 0) | (others.total <= _NEGLIGIBLE * everyone.total)
    a, b = (_with_one_more(part, np.where(none, typical, 0.0), none) for part in (group, others))
    with np.errstate(divide="ignore", invalid="ignore"):
        log_ratio = np.log(a.mean / b.mean)
        error = np.sqrt(a.variance / (a.users * a.mean**2) + b.variance / (b.users * b.mean**2))
        ends = np.exp(log_ratio + _NORMAL_975 * np.stack([-error, error]))
        share = group.users / everyone.users
        low, high = ends / (share * ends + 1.0 - share)
        lift = group.mean / everyone.mean
    low, high = np.minimum(low, lift), np.maximum(high, lift)
    compared = (others.users > 0) & (group.users > 0) & (everyone.total > 0)
    return np.where(compared, low, np.nan), np.where(compared, high, np.nan)


def _with_one_more(part: Sums, typical: Array, where: npt.NDArray[np.bool_]) -> Sums:
    """A half user with the typical figure and a half user with none."""
    return Sums(
        part.users + where,
        part.total + 0.5 * typical,
        part.squares + 0.5 * typical**2,
        part.cubes + 0.5 * typical**3,
    )


def q_values(p_values: Array, tests: int) -> Array:
    """p-values corrected for many tests (Benjamini & Hochberg 1995).

    Calling everything up to q significant keeps the expected share of false ones among them at q.

    Args:
        p_values: [n] the smallest ones.
        tests: all tests made, at least n; those not given have p = 1.
    """
    if not len(p_values):
        return p_values
    adjusted = stats.false_discovery_control(p_values) * (tests / len(p_values))
    return np.minimum(adjusted, 1.0)
