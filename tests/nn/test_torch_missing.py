"""to_torch and from_torch where there is no PyTorch."""

import re
import sys

import pytest

import nn


@pytest.mark.parametrize("way", [nn.to_torch, nn.from_torch])
def test_without_pytorch_the_message_says_how_to_get_it(way, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    message = (
        f"{way.__name__} needs PyTorch, which is not installed: pip install torch, or"
        ' pip install "autograd-lite[torch]"'
    )
    with pytest.raises(ImportError, match=f"^{re.escape(message)}$"):
        way(nn.ReLU())
