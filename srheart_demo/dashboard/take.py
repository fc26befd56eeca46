"""What is taken away: the tab that hands out files, and the figures among them."""

from __future__ import annotations

import io
from functools import partial
from html import escape
from typing import TYPE_CHECKING

import ipywidgets as w
import numpy as np

from srheart_demo.dashboard import sentences, texts, theme
from srheart_demo.dashboard.heart import page
from srheart_demo.dashboard.runner import Runner
from srheart_demo.dashboard.tabs import About, Tab
from srheart_demo.dashboard.widgets import control, html, named, note, row
from srheart_demo.frame import TISSUE_COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from PIL.Image import Image

    from srheart_demo.explorer.session import Session
    from srheart_demo.explorer.watch import Watch

SIZE = (7.6, 3.0)  # Inches
SCREEN, PRINT = 100, 300  # Dots per inch of the animation and of the picture
FRAMES = 48  # At most so many pictures; a longer run is thinned out
STAY, REST = 120, 1800  # Milliseconds at each iteration, and at the last


class TakeTab(Tab):
    """Files, and the state as a text or a link."""

    def __init__(self, runner: Runner) -> None:
        self.buttons, rows = {}, list[w.Widget]()
        for kind, (title, told) in texts.TAKES.items():
            made = w.Button(description=title, icon="download")
            self.buttons[kind] = named(made, f"srh-take-{kind}")
            self.buttons[kind].on_click(lambda _, kind=kind: self._take(kind))
            rows += [self.buttons[kind], note(told)]
        self.state, self.restore = control("srh-state"), control("srh-restore")
        self.link, self.linked = control("srh-copy-link"), html("", "srh-linked")
        self.restore.on_click(lambda _: runner.restore(self.state.value))
        self.link.on_click(lambda _: self._link())
        runner.page.on_linked = self._say_linked
        head = html(f"<h3>{escape(texts.STATE)}</h3>")
        controls = [named(w.GridBox(rows), "srh-takes"), head, note(texts.STATE_NOTE)]
        state = [self.state, row(self.restore, self.link), self.linked]
        super().__init__(runner, "take", controls, state)

    def about(self, session: Session) -> About:
        """All that is kept, and what of it is looked at."""
        history = session.history
        return session.step, history.at, [(run, len(run.steps)) for run in history.runs]

    def compute(self, session: Session) -> None:
        """The text of what there is, which takes no time."""
        self.state.value, self.linked.value = session.text(), ""
        self.fill()

    def _take(self, kind: str) -> None:
        name = "film" if kind == "gif" else "take"
        self.runner.job(name, partial(_made, kind), lambda file: self.runner.page.download(*file))

    def _link(self) -> None:
        if self.runner.session is not None:
            self.runner.page.lead_to(self.runner.session.link())

    def _say_linked(self, copied: bool) -> None:
        """Where the link is, and what it does not carry."""
        session, said = self.runner.session, [texts.LINKED[str(copied)]]
        if session is not None and session.scene.subject.name in session.own:
            said.append(texts.LINK_WITHOUT_FILE.format(session.scene.subject.name))
        self.linked.value = f'<span role="status">{escape(" ".join(said))}</span>'


def _made(kind: str, session: Session, watch: Watch) -> tuple[str, bytes]:
    """Name and bytes of a file."""
    if kind == "gif":
        return "run.gif", gif(session, watch)
    if kind in ("png", "html"):
        return f"heart.{kind}", (png if kind == "png" else heart_page)(session)
    from srheart_demo.explorer import takeaway

    return takeaway.file(session, kind)


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
            pictures.append(_picture(session, SCREEN).quantize(64, dither=Dither.NONE))
    finally:
        session.history.look(at)
    stays = [STAY] * (len(pictures) - 1) + [REST]
    data = io.BytesIO()
    pictures[0].save(data, "gif", save_all=True, append_images=pictures[1:], duration=stays, loop=0)
    return data.getvalue()


def png(session: Session) -> bytes:
    """What is looked at, as one picture."""
    return as_png(np.asarray(_picture(session, PRINT)))


def as_png(picture: np.ndarray) -> bytes:
    """A PNG of a picture, uint8: (h, w, 3) or, with its opacity, (h, w, 4)."""
    from PIL import Image

    data = io.BytesIO()
    Image.fromarray(picture).save(data, "png", compress_level=1)
    return data.getvalue()


def heart_page(session: Session) -> bytes:
    """The 3-D view as a page that needs nothing else."""
    heart = session.now.heart(len(session.scene.slices) // 2)
    return page(heart, session.scene.subject.ghost).encode()


def _picture(session: Session, dpi: int) -> Image:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.colors import ListedColormap
    from matplotlib.figure import Figure
    from PIL import Image

    from srheart_demo.explorer.pictures import side
    from srheart_demo.explorer.portrait import portrait

    figure = Figure(SIZE, dpi=dpi)
    canvas = FigureCanvasAgg(figure)
    figure.text(0.01, 0.93, sentences.progress_line(session.now, False), fontsize=8)
    for x, (tissue, colour) in enumerate(TISSUE_COLOURS.items()):
        name = f"■ {texts.TISSUE_NAMES[tissue]}"
        figure.text(0.01 + 0.15 * x, 0.03, name, color=colour, fontsize=8)
    heart = figure.add_axes((0.01, 0.1, 0.33, 0.8))
    heart.imshow(portrait(session.now.estimate.field, 100 + dpi // 2, 64))
    colours = ListedColormap(["white", *TISSUE_COLOURS.values()])
    stack = side(session.scene, session.step.d)
    scanned, put_back = texts.COLUMNS["input"][0], texts.PUT_BACK
    sides = (0.35, scanned, stack.scanned[0]), (0.52, put_back, stack.put_back[0])
    for left, name, labels in sides:
        bands = figure.add_axes((left, 0.2, 0.15, 0.6))
        bands.set_title(name, fontsize=8)
        rows = np.zeros((session.scene.of, labels.shape[1]), np.uint8)
        rows[session.scene.slices] = labels
        bands.imshow(rows[::-1], colours, vmin=0, vmax=3, aspect="auto", interpolation="nearest")
    for axes in figure.axes:
        axes.set_axis_off()
    _curve(session, figure.add_axes((0.75, 0.2, 0.23, 0.6)))
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")


def _curve(session: Session, axes: Axes) -> None:
    at = session.history.at
    loss = [step.loss for step in session.history.active.steps]
    axes.semilogy(loss, color=theme.GRID)
    axes.semilogy(loss[: at + 1], color=theme.ESTIMATE)
    axes.plot(at, loss[at], "o", color=theme.ESTIMATE, markersize=5)
    axes.set_title(f"L = {session.step.loss:.3f} {texts.LOSS_AXIS}", fontsize=8)
    axes.set_xlabel(texts.ITERATION, fontsize=8)
    axes.set_yticks([], [])
    axes.minorticks_off()
    axes.tick_params(labelsize=7)
    axes.spines[["top", "left", "right"]].set_visible(False)
