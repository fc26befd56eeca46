"""Constants of graphs in files beside them, in which each lies once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256

import onnx

SHARED_CONSTANTS = "shared"
"""The block of what graphs hold that have no part of their names in common."""
LARGE = 1024
"""Constants of a graph from so many bytes on lie in a file of their own."""


def keep_apart(graphs: Mapping[str, onnx.ModelProto], blocks: Sequence[str]) -> dict[str, bytes]:
    """Move the large constants of graphs out of them: blocks of bytes in which each lies once.

    Parts of a graph's name, between dots, say what it is of. The block of a constant is named by
    the first part that all graphs with this constant have, of those that `blocks` lists.
    """
    large = [
        (name.split("."), tensor, onnx.numpy_helper.to_array(tensor).tobytes())
        for name, graph in graphs.items()
        for tensor in graph.graph.initializer
    ]
    large = [(parts, tensor, content) for parts, tensor, content in large if len(content) >= LARGE]
    common: dict[bytes, list[str]] = {}
    for parts, _, content in large:
        seen = common.get(key := sha256(content).digest(), blocks)
        common[key] = [part for part in seen if part in parts]
    written = {block: bytearray() for block in (*blocks, SHARED_CONSTANTS)}
    places: dict[bytes, tuple[str, int]] = {}
    for _, tensor, content in large:
        key = sha256(content).digest()
        block = next(iter(common[key]), SHARED_CONSTANTS)
        if key not in places:
            written[block] += bytes(-len(written[block]) % 64)
            places[key] = f"{block}.bin", len(written[block])
            written[block] += content
        tensor.raw_data = b" "  # what is kept elsewhere must have been bytes before
        onnx.external_data_helper.set_external_data(tensor, *places[key], len(content))
        tensor.ClearField("raw_data")
    return {f"{block}.bin": bytes(held) for block, held in written.items()}
