"""The rules of labels: what a promotion, a trial and a rollback make of them."""

import pytest

from tfx_pipeline.deployment.version_state import VersionState
from tfx_pipeline.paths.inputs import InputError

THREE = VersionState(visible=(1, 2, 3), stable=3, canary=3, stable_before=(1, 2))


def test_a_promotion_remembers_where_to_go_back():
    state = VersionState(visible=(1, 2), stable=1, canary=2).promoted(2)
    assert (state.stable, state.canary, state.stable_before) == (2, 2, (1,))


def test_a_newer_canary_outlives_the_promotion_of_another():
    state = VersionState(visible=(1, 2, 3), stable=1, canary=3).promoted(2)
    assert (state.stable, state.canary) == (2, 3)


def test_the_first_version_is_stable_even_on_trial():
    assert VersionState(visible=(1,)).tried(1).stable == 1
    state = VersionState(visible=(1, 2), stable=1, canary=1).tried(2)
    assert (state.stable, state.canary) == (1, 2)


def test_rollbacks_go_back_step_by_step_and_never_to_what_was_rolled_back():
    once = THREE.rolled_back(models={3: "c"})
    assert (once.stable, once.canary) == (2, 2)
    assert once.withdrawn == {3: "c"}
    twice = once.rolled_back()
    assert twice.stable == 1
    assert set(twice.withdrawn) == {2, 3}
    assert twice.newest() == 1
    with pytest.raises(InputError, match="no version was stable before 1"):
        twice.rolled_back()


def test_a_named_rollback_withdraws_everything_after_it():
    state = THREE.rolled_back(1)
    assert (state.stable, set(state.withdrawn)) == (1, {2, 3})


def test_a_rollback_leaves_a_newer_canary_alone():
    state = VersionState(visible=(1, 2, 3), stable=2, canary=3, stable_before=(1,)).rolled_back()
    assert (state.stable, state.canary, set(state.withdrawn)) == (1, 3, {2})


def test_a_withdrawn_version_comes_back_only_by_name():
    state = THREE.rolled_back()
    assert state.newest() == 2
    back = state.promoted(3)
    assert back.stable == 3
    assert back.withdrawn == {}
    assert back.stable_before == (1, 2)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: THREE.promoted(9), "no version 9; known: 1, 2, 3"),
        (lambda: THREE.promoted(2), "serving rollback --version 2"),
        (lambda: THREE.rolled_back(3), "serving promote --version 3"),
        (lambda: THREE.rolled_back(9), "no version 9"),
        (lambda: VersionState().rolled_back(), "no version to roll back"),
    ],
)
def test_wrong_ways_are_explained(act, message):
    with pytest.raises(InputError, match=message):
        act()


def test_the_newest_are_kept_with_all_that_labels_name():
    many = VersionState(visible=tuple(range(1, 9)), stable=3, canary=5, stable_before=(1, 2))
    assert many.surplus(2) == [1, 4, 6]
    assert THREE.surplus(3) == []
    hidden = VersionState(visible=(1, 2), hidden=(3, 4), stable=2, canary=2)
    assert hidden.surplus(2) == [1]
