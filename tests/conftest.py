"""What several folders of tests share, each built once a session for all of them.

Helpers are imported where they are needed: the tests that need no TensorFlow, such as the
client's, start without it.
"""

import os
import sys

# Two workers share two cores. More threads of OpenMP or BLAS would only wait for each other, and at
# full load: the gap statistic of 400 points took 40 s of processor time instead of 1.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest

import trainer  # noqa: F401  (its Keras switches, before any test module imports TensorFlow)


def pytest_collection_modifyitems(items):
    """Whole pipelines first, then the slow files: what comes last should be short, so that no
    worker waits for the other at the end.
    """
    marks = ("e2e", "slow")
    items.sort(
        key=lambda item: next(
            (place for place, mark in enumerate(marks) if item.get_closest_marker(mark)), len(marks)
        )
    )


def pytest_collection_finish():
    """Where a test module has imported Beam, its pipelines are built and run faster."""
    if "apache_beam" in sys.modules:
        from tests.helpers.beam_arguments import remember_arguments

        remember_arguments()


@pytest.fixture(scope="session")
def tiny_shop(tmp_path_factory):
    """A `TinyShop`: raw histories of 60 users, and the Transform graph over them."""
    from tests.helpers.once import once
    from tests.helpers.tiny_shop import make_tiny_shop, open_tiny_shop

    return open_tiny_shop(once(tmp_path_factory, "tiny-shop", make_tiny_shop))


@pytest.fixture
def encoder():
    """A small ensemble of random weights, see `tests.helpers.ensemble`."""
    from tests.helpers.ensemble import make_encoder

    return make_encoder()


@pytest.fixture
def events():
    """Two histories for `encoder`."""
    from tests.helpers.ensemble import make_events

    return make_events()
