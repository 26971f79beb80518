"""Which of several stacked towers works on which rows.

Towers side by side either all see every user, as the members of an ensemble do, or each sees its
own users only, as the specialists of a mixture do (the dispatch of Shazeer et al. 2017). Both are
the same computation but for where a member's weights and rows stand, which is said here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import tensorflow as tf


class MemberRows(Protocol):
    """Rows of M members, float32 [G, n, width]: a group of rows for each or one for all."""

    def own(self, weights: tf.Tensor) -> tf.Tensor:
        """Each row's weights of the members' [M, …]; they broadcast to [G, n, …]."""

    def look_up(self, table: tf.Tensor, index: tf.Tensor) -> tf.Tensor:
        """Of the members' tables [M, entries, width] by [n, …]; broadcasts to [G, n, …, width]."""

    def each(self, weights: tf.Tensor) -> list[tf.Tensor]:
        """The weights of each member that has rows, of the members' [M, …]."""

    def split(self, rows: tf.Tensor) -> list[tf.Tensor]:
        """The rows of each of these members, [its n, width]."""

    def joined(self, rows: Sequence[tf.Tensor]) -> tf.Tensor:
        """The inverse of `split`."""

    def at(self, place: tf.Tensor) -> MemberRows:
        """How rows stand that are taken from places of these; int [m], rising."""


class EveryMember:
    """All members see all rows: [M, n, width]."""

    def own(self, weights: tf.Tensor) -> tf.Tensor:
        """[M, 1, …]."""
        return weights[:, None]

    def look_up(self, table: tf.Tensor, index: tf.Tensor) -> tf.Tensor:
        """[M, n, …, width]."""
        return tf.gather(table, index, axis=1)

    def each(self, weights: tf.Tensor) -> list[tf.Tensor]:
        """M times […]."""
        of_members: list[tf.Tensor] = tf.unstack(weights)
        return of_members

    def split(self, rows: tf.Tensor) -> list[tf.Tensor]:
        """M times [n, width]."""
        each: list[tf.Tensor] = tf.unstack(rows)
        return each

    def joined(self, rows: Sequence[tf.Tensor]) -> tf.Tensor:
        """[M, n, width]."""
        return tf.stack(rows)

    def at(self, place: tf.Tensor) -> EveryMember:
        """The same: it does not matter which rows there are."""
        del place
        return self


class RoutedRows:
    """Every row is one member's: [1, n, width], member after member.

    Args:
        member: int32 [n], rising, whose a row is.
        members: M.
    """

    def __init__(self, member: tf.Tensor, members: int) -> None:
        self._member = member
        self._members = members
        self._counts = tf.raw_ops.DenseBincount(
            input=member, size=members, weights=tf.constant([], tf.int32), binary_output=False
        )

    def own(self, weights: tf.Tensor) -> tf.Tensor:
        """[n, …]."""
        return tf.gather(weights, self._member)

    def look_up(self, table: tf.Tensor, index: tf.Tensor) -> tf.Tensor:
        """[n, …, width]."""
        entries = table.shape[1]
        first = tf.reshape(self._member * entries, [-1] + [1] * (len(index.shape) - 1))
        return tf.gather(tf.reshape(table, [-1, table.shape[2]]), first + index)

    def each(self, weights: tf.Tensor) -> list[tf.Tensor]:
        """M times […]."""
        of_members: list[tf.Tensor] = tf.unstack(weights)
        return of_members

    def split(self, rows: tf.Tensor) -> list[tf.Tensor]:
        """A member's rows may be none."""
        each: list[tf.Tensor] = tf.split(tf.squeeze(rows, 0), self._counts, num=self._members)
        return each

    def joined(self, rows: Sequence[tf.Tensor]) -> tf.Tensor:
        """[1, n, width]."""
        return tf.expand_dims(tf.concat(rows, axis=0), 0)

    def at(self, place: tf.Tensor) -> RoutedRows:
        """Rows of the members whose rows these places are."""
        return RoutedRows(tf.gather(self._member, place), self._members)
