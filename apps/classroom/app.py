"""Voilà as a classroom: kernels are `Seats`, and a full room says so in plain words."""

from __future__ import annotations

from typing import Any

from tornado.ioloop import IOLoop
from tornado.web import HTTPError
from traitlets import Unicode, default
from voila.app import Voila
from voila.static_file_handler import TemplateStaticFileHandler
from voila.tornado.handler import TornadoVoilaHandler
from voila.tornado.kernel_websocket_handler import VoilaKernelWebsocketHandler

from apps.classroom.line import Line
from apps.classroom.seats import Seats

RETRY_S = 20
"""When the page of a full room asks again, and tells programs to."""


class Door(TornadoVoilaHandler):
    """The explorer's page. Who finds no seat is shown the template's `503.html`."""

    async def get(self, path: str | None = None) -> None:
        """The page, which also the first learner finds open."""
        await self.settings["kernel_manager"].opened()
        await super().get(path)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """As always, and when to come again."""
        if status_code == 503:
            self.set_header("Retry-After", str(RETRY_S))
        super().write_error(status_code, **kwargs)

    def render_template(self, name: str, **namespace: Any) -> str:
        """A page of the template's folder."""
        return str(super().render_template(name, retry_s=RETRY_S, **namespace))


class Shelf(TemplateStaticFileHandler):
    """Files of the templates. Voilà answers 500 where an address names none of them."""

    async def get(self, path: str, include_body: bool = True) -> None:
        """The file, or 404."""
        try:
            await super().get(path, include_body)
        except (ValueError, AssertionError) as error:
            raise HTTPError(404) from error


OURS = {
    TornadoVoilaHandler: Door,
    VoilaKernelWebsocketHandler: Line,
    TemplateStaticFileHandler: Shelf,
}
"""What stands in for handlers of Voilà's."""


class Classroom(Voila):
    """Voilà for so many learners.

    Attributes:
        welcome: printed when learners may come.
    """

    name = "voila"  # handlers look for the app under this key
    welcome = Unicode()

    @default("port_retries")
    def _never_another_port(self) -> int:
        return 0  # learners were told this one

    def init_settings(self) -> dict[str, Any]:
        """Voilà's own, with other kernels."""
        settings: dict[str, Any] = super().init_settings()
        voilas = settings["kernel_manager"]
        self.kernel_manager = settings["kernel_manager"] = Seats(
            parent=self,
            connection_dir=self.connection_dir,
            kernel_spec_manager=self.kernel_spec_manager,
            allowed_message_types=voilas.allowed_message_types,
        )
        return settings

    def init_handlers(self) -> list[tuple[Any, ...]]:
        """Voilà's own, with another page and another websocket."""
        return [
            (path, OURS.get(handler, handler), *options)
            for path, handler, *options in super().init_handlers()
        ]

    def listen(self) -> None:
        """Serve until stopped."""
        IOLoop.current().add_callback(print, self.welcome, flush=True)
        super().listen()
