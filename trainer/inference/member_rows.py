"""Which of several stacked towers works on which rows of a batch.

Towers stacked into one either all see every user, as the members of an ensemble do, or each sees
its own users only, as the specialists of a mixture do (the dispatch of Shazeer et al. 2017). The
computation is the same in both cases; what differs is how rows find the weights of their member.
That difference is `MemberRows`, with one class for each case.

Shapes: M members; n rows of a batch; G groups of rows, which is M where every member sees all rows
(member m works on group m), and 1 where each row belongs to one member.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import tensorflow as tf


class MemberRows(Protocol):
    """How rows float32 [G, n, width] belong to M members."""

    def own(self, weights: tf.Tensor) -> tf.Tensor:
        """For each row, the weights of its member.

        Args:
            weights: [M, …], the members' weights.

        Returns:
            Something that broadcasts to [G, n, …].
        """

    def look_up(self, table: tf.Tensor, index: tf.Tensor) -> tf.Tensor:
        """For each row, entries of its member's table.

        Args:
            table: [M, entries, width], the members' tables.
            index: int32 [n, …], the same entries for every member.

        Returns:
            Something that broadcasts to [G, n, …, width].
        """

    def each(self, weights: tf.Tensor) -> list[tf.Tensor]:
        """The weights [M, …] member by member, […] each."""

    def split(self, rows: tf.Tensor) -> list[tf.Tensor]:
        """Rows [G, n, width] member by member, [rows of the member, width] each."""

    def joined(self, rows: Sequence[tf.Tensor]) -> tf.Tensor:
        """The inverse of `split`."""

    def at(self, place: tf.Tensor) -> MemberRows:
        """How rows belong to members that are copied from places of these rows.

        Args:
            place: int32 [m], the row that each is copied from; rising.
        """


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
    """Every row belongs to one member: [1, n, width], member after member.

    Args:
        member: int32 [n], rising: the member that each row belongs to.
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
        # The members' tables one below the other; a member's entries start at `first`.
        all_entries = tf.reshape(table, [-1, table.shape[2]])
        first = tf.reshape(self._member * entries, [-1] + [1] * (len(index.shape) - 1))
        return tf.gather(all_entries, first + index)

    def each(self, weights: tf.Tensor) -> list[tf.Tensor]:
        """M times […]."""
        of_members: list[tf.Tensor] = tf.unstack(weights)
        return of_members

    def split(self, rows: tf.Tensor) -> list[tf.Tensor]:
        """M times [rows of the member, width]; a member may have no rows."""
        each: list[tf.Tensor] = tf.split(tf.squeeze(rows, 0), self._counts, num=self._members)
        return each

    def joined(self, rows: Sequence[tf.Tensor]) -> tf.Tensor:
        """[1, n, width]."""
        return tf.expand_dims(tf.concat(rows, axis=0), 0)

    def at(self, place: tf.Tensor) -> RoutedRows:
        """Each row belongs to the member of the row that it is copied from."""
        return RoutedRows(tf.gather(self._member, place), self._members)
