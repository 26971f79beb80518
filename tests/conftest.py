"""What several folders of tests share: the tiny shop, built once for all of them."""

from tests.trainer.conftest import tiny_shop

__all__ = ["tiny_shop"]
