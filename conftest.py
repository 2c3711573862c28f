"""No test touches a network; learners' notebooks are tested at full size, the instructor's with fewer steps."""

import os

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the tests that ask whether published data are still there reach the network, when asked for by name."""
    parser.addoption("--network", action="store_true", help="let tests reach the places real data come from")


def pytest_configure(config: pytest.Config) -> None:
    """Keep this process, its kernels and its other children off the network; a server on this machine is no network."""
    if not config.getoption("--network"):
        os.environ["HF_HUB_OFFLINE"] = "1"


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Set the variable before nbval starts the notebook's kernel, which inherits it."""
    if item.path.suffix == ".ipynb":
        os.environ.pop("WHERE_TO_LOOK_FAST", None)
        if item.path.parent.name == "instructor":
            os.environ["WHERE_TO_LOOK_FAST"] = "1"
