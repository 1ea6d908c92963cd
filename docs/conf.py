"""Sphinx configuration."""

from importlib.metadata import version as installed

project = "merkwelt"
author = "The merkwelt authors"
copyright = "2026, the merkwelt authors"  # noqa: A001
version = release = installed("merkwelt")
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "merkwelt"
html_static_path = []
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_mock_imports = ["nerfstudio"]
