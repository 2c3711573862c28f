"""What the recipes of all lessons can do: be shortened for a test, and be written down for cards and results."""

from dataclasses import asdict, replace
from typing import Self


class PlainRecipe:
    """A base of frozen dataclasses with `steps` and `options`, a tuple of (name, value) pairs."""

    def shortened(self, share: float) -> Self:
        """The same with a share of the steps, at least one."""
        return replace(self, steps=max(1, round(self.steps * share)))

    def configuration(self) -> dict:
        """The recipe as plain values, for cards and results."""
        return {**asdict(self), "options": dict(self.options)}
