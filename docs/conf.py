"""Sphinx's settings for the site. `make site` prepares the pages (tools/site) and calls Sphinx with this file."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools.project import Project
from tools.site.reference import mark_code, skip_member

_project = Project()

project = "Where to Look"
author = "The Where to Look developers"
copyright = "The Where to Look developers; text and figures CC BY 4.0, code MIT"
language = "en"

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.mathjax"]
exclude_patterns = ["_generated"]
default_role = "code"  # docstrings write code in single backquotes

# The notebooks were executed when they were built: what the site shows is what is committed.
nb_execution_mode = "off"
nb_merge_streams = True
nb_render_markdown_format = "myst"
myst_enable_extensions = ["dollarmath", "html_image"]
myst_heading_anchors = 3
myst_links_external_new_tab = False

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False
napoleon_custom_sections = [("Attributes", "params_style")]

# Nothing is fetched from anywhere: tools/site copies MathJax into _static.
mathjax_path = "mathjax/tex-chtml.js"

html_theme = "sphinx_book_theme"
html_title = project
html_logo = html_favicon = "_static/logo.svg"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_show_sourcelink = False
html_use_index = html_domain_indices = False  # the search finds every name
html_copy_source = False
html_theme_options = {
    "repository_url": _project.repository,
    "repository_branch": "main",
    "path_to_docs": "",  # pages of notebooks stand where the notebooks do
    "use_repository_button": True,
    "use_download_button": False,
    "use_fullscreen_button": False,
    "launch_buttons": {
        "notebook_interface": "jupyterlab",
        "binderhub_url": "https://mybinder.org",
        "colab_url": "https://colab.research.google.com",
    },
    "home_page_in_toc": True,
    "collapse_navbar": True,  # of the sidebar only the part that one reads in: pages are small and quickly made
    "show_toc_level": 2,
    "navbar_persistent": [],  # a bar above would take the menu's button from the one that is seen
    "search_bar_text": "Search the course",
    "back_to_top_button": False,
}


def setup(app):
    """Make autodoc read the docstrings as they are written here."""
    app.connect("autodoc-skip-member", skip_member)
    app.connect("autodoc-process-docstring", mark_code, priority=0)  # before napoleon
