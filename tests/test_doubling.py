import pytest
import torch
from torch import nn
from torch.autograd import gradcheck

from srheart_demo.heart.doubling import Doubling, windowed


def frozen(channels: int, out_channels: int, dtype: torch.dtype = torch.float64) -> Doubling:
    torch.manual_seed(0)
    return Doubling(channels, out_channels).to(dtype).requires_grad_(False)


def test_it_equals_the_transposed_convolution():
    fast = frozen(3, 2)
    slow = nn.ConvTranspose3d(3, 2, 4, stride=2, padding=1).double()
    slow.load_state_dict(fast.state_dict())
    x = torch.randn(2, 3, 3, 4, 5, dtype=torch.float64)
    torch.testing.assert_close(fast(x), slow(x))
    thawed = Doubling(3, 2).double()
    thawed.load_state_dict(fast.state_dict())
    torch.testing.assert_close(thawed(x), slow(x))


@pytest.mark.parametrize(
    "change",
    [
        lambda layer: layer.weight.lerp_(torch.ones_like(layer.weight), 0.3),
        lambda layer: layer.load_state_dict(frozen(3, 2).float().state_dict()),
        lambda layer: layer.double(),
    ],
    ids=["averaged", "loaded", "of another type"],
)
def test_weights_that_change_after_they_were_used_count(change):
    torch.manual_seed(1)
    layer = Doubling(3, 2).requires_grad_(False)
    x = torch.randn(1, 3, 2, 3, 2)
    layer(x)
    change(layer)
    x = x.to(layer.weight.dtype)
    slow = torch.nn.functional.conv_transpose3d(x, layer.weight, layer.bias, 2, 1)
    torch.testing.assert_close(layer(x), slow)


def test_its_gradient_is_right():
    fast = frozen(2, 2)
    x = torch.randn(1, 2, 2, 3, 2, dtype=torch.float64, requires_grad=True)
    assert gradcheck(fast, (x,))


def test_training_reaches_its_weights():
    layer = Doubling(2, 2)
    layer(torch.randn(1, 2, 2, 2, 2)).sum().backward()
    assert layer.weight.grad is not None
    assert layer.weight.grad.abs().sum() > 0


def test_windows_are_the_transposed_convolution_and_so_are_their_gradients():
    """The way of a training in bfloat16, which is checked without its rounding."""
    x = torch.randn(2, 3, 3, 4, 5, dtype=torch.float64, requires_grad=True)
    layer = Doubling(3, 2).double()
    arguments = x, layer.weight, layer.bias
    slow = torch.nn.functional.conv_transpose3d(*arguments, 2, 1)
    torch.testing.assert_close(windowed(*arguments), slow)
    weights = torch.randn_like(slow)
    for a, b in zip(
        *(
            torch.autograd.grad((y * weights).sum(), arguments)
            for y in (slow, windowed(*arguments))
        ),
        strict=True,
    ):
        torch.testing.assert_close(a, b)
    with torch.autocast("cpu", torch.bfloat16):
        rounded = layer.float()(x.float())
    assert rounded.dtype == torch.bfloat16
    torch.testing.assert_close(rounded.double(), slow, rtol=0.05, atol=0.05)
