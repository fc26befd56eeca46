"""The library's own functions as ONNX graphs, for a page that has no Python.

What is exported is traced from what the library runs: nothing of the model, the degradation or the
losses is written again. A browser's runtime lacks some operators and is slow or rounds at others:
some are replaced while they are traced, each by an equal: see `REPLACEMENTS` and `SubPixel`.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import onnx
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch._decomp import core_aten_decompositions
from torch.fx.experimental.proxy_tensor import (
    disable_proxy_modes_tracing,
    get_proxy_mode,
    has_proxy_slot,
    make_fx,
)
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

from srheart_demo.heart.generator import HeartGenerator


class SubPixel(nn.Module):
    """A transposed convolution of kernel 4, stride 2 and padding 1 as a convolution of kernel 2.

    Each of its eight outputs a class is one corner of the doubled lattice's cells. ONNX Runtime Web
    takes a fraction of the time for it.
    """

    def __init__(self, layer: nn.ConvTranspose3d) -> None:
        super().__init__()
        self.bias = layer.bias
        # An even node 2j hears of inputs j − 1 and j by taps 3 and 1, an odd one 2j − 1 by 2 and 0.
        taps = torch.tensor([[2, 0], [3, 1]])
        kernel = layer.weight.detach()[:, :, taps][:, :, :, :, taps][..., taps]
        # (c, o, a, i, b, j, c, k) → (o, a, b, c; c; i, j, k)
        self.kernel = kernel.permute(1, 2, 4, 6, 0, 3, 5, 7).flatten(0, 3).contiguous()

    def forward(self, x: Tensor) -> Tensor:
        """As the layer's."""
        doubled: Tensor = _Doubled.apply(x, self.kernel)
        return doubled if self.bias is None else doubled + self.bias.detach()[:, None, None, None]


class _Doubled(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, kernel: Tensor) -> Tensor:
        ctx.save_for_backward(kernel)
        y = F.conv3d(x, kernel, padding=1).squeeze(0).unflatten(0, (-1, 2, 2, 2))
        # Corners join their cells one axis after another, which a runtime does in long strides.
        for axis in (3, 2, 1):
            y = y.movedim(axis, 2 * axis).flatten(2 * axis - 1, 2 * axis)
        return y[None, :, 1:-1, 1:-1, 1:-1]

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (kernel,) = ctx.saved_tensors
        y = F.pad(gradients[0].squeeze(0), [1] * 6)
        for axis in (1, 2, 3):
            y = y.unflatten(axis, (-1, 2)).movedim(axis + 1, 1).flatten(0, 1)
        return F.conv3d(y[None], kernel.flip(2, 3, 4).transpose(0, 1)), None


class Product(nn.Module):
    """A linear layer whose gradient reads the weights in the order in which the layer does."""

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        self.bias, self.rows = layer.bias, layer.weight.detach().T.contiguous()

    def forward(self, x: Tensor) -> Tensor:
        """As the layer's."""
        product: Tensor = _Product.apply(x, self.rows)
        return product + self.bias.detach()


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, rows: Tensor) -> Tensor:
        ctx.save_for_backward(rows)
        return x @ rows

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (rows,) = ctx.saved_tensors
        return (rows @ gradients[0].T).T, None


def exportable(G: HeartGenerator) -> nn.Sequential:
    """The decoder of a generator, (1, M) → (1, C, D', H', W'), of operators that are exported."""
    layers = []
    for layer in G.decoder:
        if isinstance(layer, nn.ConvTranspose3d):
            layer = SubPixel(layer)
        elif isinstance(layer, nn.Linear):
            layer = Product(layer)
        layers.append(layer)
    return nn.Sequential(*layers).requires_grad_(False)


class Replaced(TorchFunctionMode):
    """Within it, what a browser's runtime does not know is computed by what it knows."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """The replacement of a function, where there is one."""
        kwargs, tracing = kwargs or {}, get_proxy_mode()
        if not tracing or not any(
            isinstance(x, Tensor) and has_proxy_slot(x, tracing.tracer)
            for x in tree_leaves((args, kwargs))
        ):
            # Of what is known already, only the result is written into a graph.
            with disable_proxy_modes_tracing():
                return func(*args, **kwargs)
        with self:
            found = REPLACEMENTS.get(func, _as_it_is)(*args, **kwargs)
        return func(*args, **kwargs) if found is NotImplemented else found


def _as_it_is(*_: Any, **__: Any) -> Any:
    return NotImplemented


def interpolated(
    x: Tensor,
    grid: Tensor,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Any:
    """`grid_sample` of one picture or volume, clamped at its border, by gathering its nodes."""
    if x.dim() == 4 and not torch.is_grad_enabled():
        return NotImplemented  # a runtime has that, but not its gradient
    assert (len(x), mode, padding_mode, align_corners) == (1, "bilinear", "border", False)
    nodes = x.squeeze(0).flatten(1).T  # a row of classes for each node
    rows, weights = torch.zeros(1, 1), torch.ones(1, 1)
    for axis, size in enumerate(x.shape[2:]):
        at = ((grid[..., -1 - axis].reshape(1, -1) + 1) * size - 1) / 2
        at = at.clamp(0, size - 1)
        low = at.detach().floor().clamp(max=size - 2)
        share, first = at - low, rows * size + low
        rows = torch.cat([first, first + 1])
        weights = torch.cat([weights * (1 - share), weights * share])
    # One gathering of all corners: its gradient is one scattering. Products in long rows are fast.
    corners = nodes.index_select(0, rows.flatten().long()).T.unflatten(1, rows.shape)
    return (corners * weights).sum(1).reshape(1, x.shape[1], *grid.shape[1:-1])


def solved(A: Tensor, b: Tensor) -> Tensor:
    """`torch.linalg.solve` of two equations (B, 2, 2), (B, 2), by Cramer's rule."""
    (p, q), (r, s) = A[:, 0].unbind(1), A[:, 1].unbind(1)
    x, y = b.unbind(1)
    return torch.stack([s * x - q * y, p * y - r * x], dim=1) / (p * s - q * r)[:, None]


def chosen(x: Tensor, key: Any) -> Any:
    """`x[:, which]`, also written `x[..., which, :]`, by a product, with a list or a mask of which;
    `x[..., i]` as a row."""
    if isinstance(key, tuple) and len(key) == x.dim() == 3 and key[0] is ...:
        key = key if key[2] != slice(None) else (slice(None), key[1])
    if not (isinstance(key, tuple) and len(key) == 2):
        return NotImplemented
    if key[0] is Ellipsis and isinstance(key[1], int) and x.dim() > 1:
        return x.movedim(-1, 0)[key[1]]
    if not isinstance(key[1], list | Tensor):
        return NotImplemented
    one_of_each = torch.eye(x.shape[1], dtype=x.dtype).__getitem__(key[1])
    return (one_of_each @ x.flatten(2)).unflatten(2, x.shape[2:])


def gathered(x: Tensor, dim: int, index: Tensor) -> Tensor:
    """`x.gather` of one class by a sum over all, and of whole rows (1, N, n) by their numbers."""
    if index.shape[dim] > 1:
        rows = index._base  # of which `index` is an expansion
        assert (len(x), dim, index.stride(-1)) == (1, 1, 0)
        assert rows is not None
        return x.squeeze(0).index_select(0, rows.flatten())[None]
    classes = torch.arange(x.shape[dim]).view(-1, *[1] * (x.dim() - dim - 1))
    return (x * (index == classes)).sum(dim, keepdim=True)


def log_softmax(x: Tensor, dim: int) -> Tensor:
    """`x.log_softmax` without the transpositions of a runtime's own."""
    return x - x.logsumexp(dim, keepdim=True)


def cross_entropy(logits: Tensor, labels: Tensor, **how: Any) -> Tensor:
    """`F.cross_entropy` of classes (B, C, N) without a reduction."""
    assert how["reduction"] == "none"
    return -gathered(log_softmax(logits, 1), 1, labels[:, None])[:, 0]


def einsum(equation: str, *operands: Tensor) -> Any:
    """`torch.einsum` of ↓ₛ as a product without transpositions."""
    if equation != "kd,bcdhw->bckhw":
        return NotImplemented
    weights, field = operands
    return (weights @ field.flatten(3)).unflatten(3, field.shape[3:])


def filled(x: Tensor, dim: int, index: Tensor, value: float) -> Tensor:
    """`index_fill` along dimension 1 by a sum."""
    there = torch.zeros(x.shape[dim]).index_fill(0, index, 1.0) if dim else None
    if there is None:
        return NotImplemented
    there = there.view(-1, *[1] * (x.dim() - 2))
    return x * (1 - there) + value * there


def summed(x: Tensor, *dimensions: Any, **how: Any) -> Any:
    """`x.sum()` in two steps: a runtime adds numbers one by one, which rounds."""
    if dimensions or how or x.dim() < 2:
        return NotImplemented
    return x.sum(-1).sum()


def averaged(x: Tensor, dim: int | None = None) -> Any:
    """`x.mean(1)` of rows (B, n), as `summed`."""
    return in_steps(x) / x.shape[1] if (x.dim(), dim) == (2, 1) else NotImplemented


def dotted(x: Tensor, weights: Tensor) -> Any:
    """`x @ weights` of rows (B, n) with one (n,), as `summed`."""
    return in_steps(x * weights) if weights.dim() == 1 else NotImplemented


def in_steps(x: Tensor) -> Tensor:
    """The sum of rows (B, n): of equal parts first, then of these, of as many as n allows."""
    n = x.shape[1]
    parts = max(k for k in range(1, math.isqrt(n) + 1) if n % k == 0)
    return x.unflatten(1, (parts, -1)).sum(2).sum(1)


REPLACEMENTS: dict[Any, Callable[..., Any]] = {
    F.grid_sample: interpolated,
    torch.linalg.solve: solved,
    torch.einsum: einsum,
    F.cross_entropy: cross_entropy,
    Tensor.__getitem__: chosen,
    Tensor.gather: gathered,
    Tensor.log_softmax: log_softmax,
    Tensor.index_fill: filled,
    Tensor.sum: summed,
    Tensor.mean: averaged,
    Tensor.__matmul__: dotted,
}


def _pad(g: Tensor, sizes: Sequence[int], dim: int, before: int, after: int) -> Tensor:
    return torch.constant_pad_nd(g, [0, 0] * (len(sizes) - 1 - dim % len(sizes)) + [before, after])


def _slice_backward(
    g: Tensor, sizes: Sequence[int], dim: int, start: int, end: int, step: int
) -> Tensor:
    assert step == 1
    return _pad(g, sizes, dim, start, sizes[dim] - min(end, sizes[dim]))


def _select_backward(g: Tensor, sizes: Sequence[int], dim: int, index: int) -> Tensor:
    index %= sizes[dim]
    return _pad(g.unsqueeze(dim), sizes, dim, index, sizes[dim] - 1 - index)


_aten = torch.ops.aten
_TABLE = {
    name: way
    for name, way in core_aten_decompositions().items()
    if name != _aten.grid_sampler_2d.default
} | {
    _aten.slice_backward.default: _slice_backward,
    _aten.select_backward.default: _select_backward,
}
_SAME = ("copy_strided", "alias", "detach", "clone", "lift_fresh_copy")
"""Operators that for ONNX do nothing."""


def _broadcasts(user: Any, expanded: Any) -> bool:
    """Whether a product of two is as large without the expansion of one."""
    others = [x for x in user.args if isinstance(x, torch.fx.Node) and x is not expanded]
    small, whole = (x.meta["val"].shape for x in (expanded.args[0], user))
    return user.target == _aten.mul.Tensor and any(
        torch.broadcast_shapes(small, x.meta["val"].shape) == whole for x in others
    )


def write(
    function: Callable[..., tuple[Tensor, ...]],
    inputs: Mapping[str, Tensor],
    outputs: Sequence[str],
    path: Path,
    constants: Mapping[str, Tensor] | None = None,
) -> None:
    """Write what a function of named tensors computes as an ONNX graph.

    Inputs are those of a call, whose shapes hold for every other; `constants`, its further
    arguments, are written into the graph, and all that is computed of them is computed there.
    """
    known = dict(constants or {})

    def traced(*arguments: Tensor) -> tuple[Tensor, ...]:
        with Replaced():
            return function(*arguments)

    arguments = (*inputs.values(), *known.values())
    graph = make_fx(traced, _TABLE, _allow_non_fake_inputs=True)(*arguments)
    places = [node for node in graph.graph.nodes if node.op == "placeholder"]
    for name, value, place in zip(known, known.values(), places[len(inputs) :], strict=True):
        graph.register_buffer(name, value)
        with graph.graph.inserting_before(place):
            place.replace_all_uses_with(graph.graph.get_attr(name))
        graph.graph.erase_node(place)
    for node in list(graph.graph.nodes):
        operator = str(node.target).removeprefix("aten.").removeprefix("prims.").split(".")[0]
        if node.op == "call_function" and operator in _SAME:
            node.replace_all_uses_with(node.args[0])
            graph.graph.erase_node(node)
        elif operator in ("view", "_unsafe_view"):
            node.target = _aten.reshape.default
        elif operator == "expand":
            for user in [user for user in node.users if _broadcasts(user, node)]:
                user.replace_input_with(node, node.args[0])
    graph.graph.eliminate_dead_code()
    graph.recompile()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            graph.eval(),
            tuple(inputs.values()),
            input_names=list(inputs),
            output_names=list(outputs),
            dynamo=True,
            opset_version=20,
            verbose=False,
        )
    assert program is not None
    written = program.model_proto
    # Where each node came from, and shapes that a runtime finds itself, are most of the file.
    for node in written.graph.node:
        node.ClearField("metadata_props")
    written.graph.ClearField("value_info")
    onnx.save(written, path)
