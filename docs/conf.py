"""Configuration of the documentation."""

from skactive import __version__

project = "skactive"
copyright = "2026, The skactive developers"
version = release = __version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.extlinks",
    "sphinx.ext.mathjax",
]
extlinks = {"doi": ("https://doi.org/%s", "doi:%s")}
autosummary_generate = True
templates_path = ["_templates"]
autodoc_preserve_defaults = True  # as the code writes them, not by private modules
autodoc_typehints = "none"  # the docstrings say it in words, with shapes
numpydoc_show_class_members = False
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
suppress_warnings = ["ref.ref", "ref.term"]
html_theme = "pydata_sphinx_theme"
html_title = "skactive"
html_show_sourcelink = False
