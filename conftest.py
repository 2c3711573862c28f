"""Learners' notebooks are tested at full size, the instructor's with fewer steps."""

import os

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Set the variable before nbval starts the notebook's kernel, which inherits it."""
    if item.path.suffix == ".ipynb":
        os.environ.pop("WHERE_TO_LOOK_FAST", None)
        if item.path.parent.name == "instructor":
            os.environ["WHERE_TO_LOOK_FAST"] = "1"
