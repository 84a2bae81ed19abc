"""What the tests of the checker share: a search for steps that has to end."""

import pytest

from autograd_lite.testing.extrapolation import Samples

MANY = 200_000  # values asked for in one test; searches that end ask for half as many at most


@pytest.fixture
def looked_up(monkeypatch):
    """List the offsets whose values a search asks for, also those that it has; stop at too many.

    A loop without end evaluates nothing new: all it asks for is known.
    """
    offsets = []
    at = Samples.at

    def counted(self, offset):
        offsets.append(offset)
        if len(offsets) > MANY:
            pytest.fail("the search for steps does not end")
        return at(self, offset)

    monkeypatch.setattr(Samples, "at", counted)
    return offsets
