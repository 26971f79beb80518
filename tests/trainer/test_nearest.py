"""The name that was probably meant."""

from trainer.nearest import hint, nearest


def test_the_nearest_name_whatever_its_case():
    assert nearest("directruner", ["FlinkRunner", "DirectRunner"]) == "DirectRunner"
    assert nearest("Width", ["width", "layers"]) == "width"
    assert nearest("colour", ["width", "layers"]) is None
    assert nearest("wide", ["width"], cutoff=0.9) is None


def test_the_hint_names_one_or_all():
    assert hint("widht", ["width", "layers"]) == "did you mean 'width'?"
    assert hint("colour", ["width", "layers"]) == "known: width, layers"
