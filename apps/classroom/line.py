"""A learner's connection to a kernel, by which nobody can bring the server down."""

from __future__ import annotations

from voila.tornado.kernel_websocket_handler import VoilaKernelWebsocketHandler

PROTOCOL = "v1.kernel.websocket.jupyter.org"
"""What JupyterLab's and Voilà's pages speak. The older one, which Voilà still takes, makes it read
the length of an answer as a count of up to 2⁶⁴ parts, and count."""
LEAST_OFFSETS = 6
"""Of the channel, the header, the parent's, the metadata, the content, and where all ends."""
MOST_OFFSETS = 1000
"""Each buffer has one more; no page sends more than a few."""
WORD = 8
"""Bytes of each number at a message's start: how many offsets, then the offsets."""
NOT_UNDERSTOOD = 1007


class Line(VoilaKernelWebsocketHandler):
    """Voilà's websocket to a kernel, for messages that are what they claim to be."""

    async def get(self, kernel_id: str) -> None:
        """Connect, but not who speaks another protocol."""
        spoken = self.request.headers.get("Sec-WebSocket-Protocol", "")
        if PROTOCOL in (word.strip() for word in spoken.split(",")):
            await super().get(kernel_id)
        else:
            self.set_status(400)
            self.finish(f"Connect with the protocol {PROTOCOL}.")

    def on_message(self, message: str | bytes) -> None:
        """Pass a message on to the kernel, or hang up."""
        if isinstance(message, bytes) and is_whole(message):
            super().on_message(message)
        else:
            self.close(NOT_UNDERSTOOD, "no message of a kernel's")


def is_whole(message: bytes) -> bool:
    """Whether a message's offsets lie within it, in order, and are as many as it says."""
    count = int.from_bytes(message[:WORD], "little")
    start = WORD * (count + 1)
    if not LEAST_OFFSETS <= count <= MOST_OFFSETS or start > len(message):
        return False
    offsets = [int.from_bytes(message[i : i + WORD], "little") for i in range(WORD, start, WORD)]
    return offsets == sorted(offsets) and offsets[0] == start and offsets[-1] == len(message)
