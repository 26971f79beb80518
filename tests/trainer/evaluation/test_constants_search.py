import dataclasses

from trainer.evaluation.constants_search import highest, to_try


@dataclasses.dataclass(frozen=True)
class Constants:
    first: int = 1
    second: int = 1


def test_each_constant_is_tried_beside_the_best_ones_so_far_and_nothing_twice():
    worth = {(1, 1): 0.2, (2, 1): 0.4, (3, 1): 0.4, (2, 2): 0.5}
    grid = {"first": (1, 2, 3), "second": (1, 2), "third": ()}
    values, asked = {}, []
    for constants in to_try(Constants(), grid, values):
        asked.append(constants)
        values |= {each: worth[each.first, each.second] for each in constants}
    assert asked == [[Constants()], [Constants(2), Constants(3)], [Constants(2, 2)]]
    assert highest(values) == Constants(2, 2)


def test_no_value_is_the_lowest():
    assert highest({"first": float("nan"), "second": 0.0, "third": 0.0}) == "second"
    assert highest({"first": float("nan"), "second": float("nan")}) == "first"
