"""Graphs that are traced once."""

import tensorflow as tf

from trainer.graphs import graph_of_any_rows


def test_any_number_of_rows_is_one_graph():
    traced = []

    def scaled(batch, factor):
        traced.append(batch["x"].shape.as_list())
        return batch["x"] * factor

    graph = graph_of_any_rows(scaled)
    for rows in (3, 1, 0):
        answer = graph({"x": tf.ones([rows, 2])}, tf.constant(2.0))
        assert answer.numpy().tolist() == [[2.0, 2.0]] * rows
    assert traced == [[None, 2]]
