"""The site: `make docs`.

The source is the whole repository, so that links between docs/ and the READMEs beside the code work
here as they do in a checkout.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(Path(__file__).parent / "_ext"), str(ROOT)]

project = "cohortrec"
copyright = "the authors of cohortrec"
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "constructor_signatures",
    "generated_pages",
    "front_page",
]

root_doc = "docs/index"
include_patterns = [
    "docs/*.md",
    "docs/**/*.md",
    "components/*/README.md",
    "components/*/*/README.md",
    "tfx_pipeline/*/README.md",
    "trainer/*/README.md",
    "tools/*/README.md",
    "kubeflow/README.md",
    "kubeflow/serving/README.md",
    "cohortrec_client/README.md",
    "benchmarks/README.md",
    "requirements/README.md",
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
]
exclude_patterns = [".*", "out", "build", "shared", "tests", "**/__pycache__"]

# Only two peers need it; their pages are built without.
autodoc_mock_imports = ["implicit"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 4

# Pictures made of characters are no Python.
highlight_language = "text"
# Dashes, but quotes as they are written: they may be part of a value.
smartquotes_action = "D"

html_theme = "furo"
html_title = "cohortrec"
html_show_sphinx = False
html_static_path = ["_static"]
html_css_files = ["site.css"]
# A folder of pages that can be opened from the disk.
html_copy_source = False

# Docstrings are Google's form, with `code` in single backticks.
default_role = "code"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False
# Fields of a class are listed once, not as entries of their own.
napoleon_use_ivar = True
# The texts give the types. Annotations would give `numpy.bool_`, which docutils takes for a link.
napoleon_attr_annotations = False
napoleon_custom_sections = [("Inputs", "params_style"), ("Outputs", "params_style")]
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"show-inheritance": True}
