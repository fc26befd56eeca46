"""Figures to take away: an animation of the run, a picture of it, and a 3-D view of its own."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

from srheart_demo.dashboard import texts, theme
from srheart_demo.frame import TISSUE_COLOURS, rgb

if TYPE_CHECKING:
    from PIL.Image import Image

    from srheart_demo.explorer.session import Session
    from srheart_demo.explorer.watch import Watch

SIZE = (760, 300)
FRAMES = 48
"""At most so many pictures; a longer run is thinned out."""
STAY, REST = 120, 1800
"""Milliseconds at each iteration, and at the last."""
PAPER, INK = "#FFFFFF", theme.INK


def gif(session: Session, watch: Watch) -> bytes:
    """The active run, iteration by iteration: the heart, the stack put back, the loss."""
    from PIL.Image import Dither

    at = session.history.at
    wanted = np.unique(np.linspace(0, session.history.last, FRAMES).round().astype(int))
    pictures = []
    try:
        for done, i in enumerate(wanted):
            watch.tick(done / len(wanted))
            session.history.look(int(i))
            pictures.append(_picture(session, 1).quantize(64, dither=Dither.NONE))
    finally:
        session.history.look(at)
    stays = [STAY] * (len(pictures) - 1) + [REST]
    data = io.BytesIO()
    pictures[0].save(data, "gif", save_all=True, append_images=pictures[1:], duration=stays, loop=0)
    return data.getvalue()


def png(session: Session) -> bytes:
    """What is looked at, as one picture."""
    data = io.BytesIO()
    _picture(session, 3).save(data, "png")
    return data.getvalue()


def html(session: Session) -> bytes:
    """The 3-D view as a page that needs nothing else."""
    from srheart_demo.dashboard.heart3d import page

    heart = session.now.heart(len(session.scene.slices) // 2)
    return page(heart, session.scene.subject.ghost).encode()


def _picture(session: Session, zoom: int) -> Image:
    from PIL import Image, ImageDraw, ImageFont

    from srheart_demo.explorer.pictures import side
    from srheart_demo.explorer.portrait import portrait

    width, height = (zoom * n for n in SIZE)
    canvas = Image.new("RGB", (width, height), PAPER)
    pen = ImageDraw.Draw(canvas)
    font = ImageFont.load_default(11 * zoom)
    edge = height - 50 * zoom
    heart = Image.fromarray(portrait(session.now.estimate.field, 100 + 50 * zoom, 64))
    heart = heart.resize((edge, edge), Image.Resampling.BICUBIC)
    canvas.paste(heart, (0, 26 * zoom), heart)
    stack = side(session.scene, session.step.d)
    for panel, (name, labels) in enumerate(
        ((texts.SCANNED.split(":")[0], stack.scanned[0]), (texts.PUT_BACK, stack.put_back[0]))
    ):
        x = (260 + 130 * panel) * zoom
        box = (116 * zoom, edge - 30 * zoom)
        canvas.paste(_bands(labels, stack.slices, stack.of, box), (x, 40 * zoom))
        pen.text((x, 22 * zoom), name, INK, font)
    # The built-in font has no such space.
    line = texts.progress_line(session.now.progress(), False).replace("\u00a0", " ")
    pen.text((8 * zoom, 6 * zoom), line, INK, font)
    _curve(session, pen, (550 * zoom, 40 * zoom, 740 * zoom, height - 50 * zoom), zoom, font)
    legend = 8 * zoom
    for tissue, colour in TISSUE_COLOURS.items():
        y = height - 20 * zoom
        pen.rectangle((legend, y + 2 * zoom, legend + 9 * zoom, y + 11 * zoom), colour)
        pen.text((legend + 14 * zoom, y), texts.TISSUE_NAMES[tissue], INK, font)
        legend += 110 * zoom
    return canvas


def _bands(labels: np.ndarray, slices: np.ndarray, of: int, box: tuple[int, int]) -> Image:
    from PIL import Image

    colours = np.array([rgb(PAPER), *(rgb(c) for c in TISSUE_COLOURS.values())], np.uint8)
    rows = np.zeros((of, labels.shape[1]), np.uint8)
    rows[slices - 1] = labels
    picture = Image.fromarray(colours[rows[::-1]])
    return picture.resize(box, Image.Resampling.NEAREST)


def _curve(session: Session, pen, box: tuple[int, int, int, int], zoom: int, font) -> None:  # type: ignore[no-untyped-def]
    left, top, right, bottom = box
    loss = np.log([step.loss for step in session.history.active.steps])
    x = left + (right - left) * np.arange(len(loss)) / max(len(loss) - 1, 1)
    y = bottom - (bottom - top) * (loss - loss.min()) / max(float(np.ptp(loss)), 1e-6)
    points = [*zip(x.tolist(), y.tolist(), strict=True)]
    at = session.history.at
    if len(points) > 1:
        pen.line(points, theme.GRID, 2 * zoom)
    if at:
        pen.line(points[: at + 1], theme.ESTIMATE, 3 * zoom)
    r, (cx, cy) = 4 * zoom, points[at]
    pen.ellipse((cx - r, cy - r, cx + r, cy + r), theme.ESTIMATE)
    pen.line((left, bottom + 6 * zoom, right, bottom + 6 * zoom), theme.MIDDLE, zoom)
    pen.text((left, bottom + 10 * zoom), texts.ITERATION, INK, font)
    pen.text((left, top - 18 * zoom), f"L = {session.step.loss:.3f} {texts.LOSS_AXIS}", INK, font)
