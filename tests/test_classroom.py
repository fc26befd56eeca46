"""A classroom: seats, a full room, faults in mid-run, and nothing left behind."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import nbformat
import psutil
import pytest
import websocket
from hypothesis import given
from hypothesis import strategies as st
from jupyter_server.services.kernels.connection.base import serialize_msg_to_ws_v1
from processes import PATIENCE_S, free_port, wait_until

from apps.classroom.__main__ import main, welcome
from apps.classroom.line import NOT_UNDERSTOOD, PROTOCOL, is_whole

SEATS = 2
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking",
         "--enable-unsafe-swiftshader"]  # fmt: skip
STATUS = "document.querySelector('.srh-status')?.textContent"
NOTICE = "document.querySelector('.srh-notice')?.textContent"


def shown(code: str, folder: Path) -> str:
    """Path of a notebook of one cell."""
    notebook = folder / "notebook.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)]), notebook)
    return str(notebook)


class Room:
    """A classroom's server on a port of its own."""

    def __init__(self, root: Path, log: Path, *options: str) -> None:
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}/"
        self.root, self.log, self.options = root, log, options
        self.open()

    def open(self) -> None:
        command = [sys.executable, "-m", "apps.classroom", f"--learners={SEATS}",
                   "--address=127.0.0.1", f"--port={self.port}", *self.options]  # fmt: skip
        with self.log.open("w") as output:
            self.server = psutil.Popen(
                command, cwd=self.root, stdout=output, stderr=subprocess.STDOUT
            )
        wait_until(lambda: "Tell the learners" in self.log.read_text(), self.log.read_text)

    def kernels(self) -> list[psutil.Process]:
        family = self.server.children(recursive=True)
        return [one for one in family if one.name().startswith("kernel-")]

    def kernel_of(self, page: str) -> psutil.Process:
        """The kernel behind a page."""
        named = f"kernel-{kernel_id(page)}"[:15]
        return next(one for one in self.kernels() if one.name() == named)

    def close(self, how: signal.Signals = signal.SIGTERM) -> None:
        family = self.server.children(recursive=True)
        self.server.send_signal(how)
        self.server.wait(PATIENCE_S)
        wait_until(lambda: not any(one.is_running() for one in family))

    def ask(self, path: str = "/", method: str = "GET") -> tuple[HTTPResponse, str]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        connection.request(method, path)
        answer = connection.getresponse()
        return answer, answer.read().decode()

    def leave(self, page: str) -> int:
        """As a page that is closed; the status of the answer."""
        return self.ask(f"/voila/api/shutdown/{kernel_id(page)}", "POST")[0].status


def kernel_id(page: str) -> str:
    found = re.search(r'"kernelId": *"([\w-]+)"', page)
    assert found, page[-2000:]
    return found[1]


@pytest.fixture(scope="module")
def small_room(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """Of a small page; each test leaves all seats free."""
    folder = tmp_path_factory.mktemp("room")
    room = Room(root, folder / "log.txt", "--waiting=1", shown("'A page'", folder))
    yield room
    room.close()


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("127.0.0.1", "Only this computer"),
        ("localhost", "Only this computer"),
        ("::1", "Only this computer"),
        ("0.0.0.0", "Everybody in this network"),
        ("192.0.2.7", "Everybody in this network"),
    ],
)
def test_the_teacher_is_told_who_can_open_it(
    address: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.classroom.__main__.own_address", lambda: "192.0.2.7")
    assert f"{said} can open it" in welcome(20, 20, address, 8866)


@pytest.mark.parametrize(
    ("waiting", "said"), [(0, "0 kernels start "), (1, "1 kernel starts "), (2, "2 kernels start ")]
)
def test_one_kernel_is_no_kernels(waiting: int, said: str) -> None:
    assert said in welcome(20, waiting, "0.0.0.0", 8866)


def test_with_a_token_the_learners_are_told_the_whole_address() -> None:
    said = welcome(20, 20, "127.0.0.1", 8866, "a b")
    assert "http://127.0.0.1:8866/?token=a+b\n" in said
    assert "only by this whole address" in said
    assert "token" not in welcome(20, 20, "127.0.0.1", 8866)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--learners=0", "--learners must be 1 or more"),
        ("--port=0", "--port must be 1 to 65535"),
        ("--port=99999", "--port must be 1 to 65535"),
        ("--waiting=-1", "--waiting must be 0 to 20"),
        ("--learners=1 --waiting=50", "--waiting must be 0 to 1"),
        ("--idle=0", "--idle must be 1 second or more"),
        ("--address=192.0.2.7", "192.0.2.7 is no address of this machine"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(
    root: Path,
    options: str,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(root)
    monkeypatch.setattr(sys, "argv", ["classroom", *options.split()])
    assert main() == 2
    assert said in capsys.readouterr().err


def test_a_port_that_another_server_has_is_told(
    root: Path,
    small_room: Room,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(root)
    monkeypatch.setattr(sys, "argv", ["classroom", f"--port={small_room.port}"])
    assert main() == 2
    assert "another server may use it" in capsys.readouterr().err


def test_an_address_that_names_no_file_is_not_found(small_room: Room) -> None:
    room = small_room
    for path in ("", "srheart", "srheart/static", "srheart/x/y", "srheart/static/..", "a/static/b"):
        for method in ("GET", "HEAD"):
            assert room.ask(f"/voila/templates/{path}", method)[0].status in (403, 404), path
    assert room.ask("/voila/templates/base/static/voila-style.js")[0].status in (200, 404)


def test_a_full_room_says_so_and_a_free_seat_is_taken(small_room: Room) -> None:
    room = small_room
    pages = [room.ask() for _ in range(SEATS)]
    assert [answer.status for answer, _ in pages] == [200] * SEATS
    assert len({kernel_id(page) for _, page in pages}) == SEATS

    answer, page = room.ask()
    assert answer.status == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert "All seats are taken" in page
    assert not re.search(r"https?://|Traceback", page), "nothing from elsewhere, no traceback"
    assert len(room.kernels()) == SEATS

    for _, page in pages:
        assert room.leave(page) == 204
    answer, page = room.ask()
    assert answer.status == 200
    assert room.leave(page) == 204


def test_a_page_waits_for_what_a_busy_machine_shows_late(root: Path, tmp_path: Path) -> None:
    late = (
        "import sys, time\nfrom IPython.display import HTML, display\n"
        "sys.stdout.flush_timeout = sys.stderr.flush_timeout = 0.1\n"
        "get_ipython().kernel.iopub_thread.schedule(lambda: time.sleep(6))\n"
        "display(HTML('<p>Here at last</p>'))"
    )
    room = Room(root, tmp_path / "log.txt", shown(late, tmp_path))
    try:
        assert "Here at last" in room.ask()[1]
    finally:
        room.close()


def test_who_comes_before_a_kernel_waits_is_let_in(root: Path, tmp_path: Path) -> None:
    page = shown("'A page'", tmp_path)
    room = Room(root, tmp_path / "log.txt", f"--waiting={SEATS}", page)
    try:
        assert room.ask()[0].status == 200
    finally:
        room.close()


HEADER = {"msg_id": "1", "msg_type": "kernel_info_request", "session": "", "username": "",
          "version": "5.3"}  # fmt: skip
MESSAGE = serialize_msg_to_ws_v1([json.dumps(HEADER).encode(), b"{}", b"{}", b"{}"], "shell")


def test_no_message_brings_the_server_down(small_room: Room) -> None:
    room, page = small_room, small_room.ask()[1]
    address = f"{room.address.replace('http', 'ws', 1)}api/kernels/{kernel_id(page)}/channels"
    with pytest.raises(websocket.WebSocketBadStatusException, match="400"):
        websocket.create_connection(address, timeout=PATIENCE_S)
    for hostile in (b"\xff" * 8, b"\xff" * 64, b"", b"{}", MESSAGE[:-1], b"\x09" + MESSAGE[1:]):
        line = websocket.create_connection(address, timeout=PATIENCE_S, subprotocols=[PROTOCOL])
        line.send_binary(hostile)
        while (frame := line.recv_frame()).opcode != websocket.ABNF.OPCODE_CLOSE:
            pass
        assert int.from_bytes(frame.data[:2], "big") == NOT_UNDERSTOOD
        line.close()
    line = websocket.create_connection(address, timeout=PATIENCE_S, subprotocols=[PROTOCOL])
    line.send_binary(MESSAGE)
    answers = (line.recv() for _ in range(20))
    assert any(b"kernel_info_reply" in answer for answer in answers)
    line.close()
    assert room.leave(page) == 204


@given(st.binary(max_size=200))
def test_what_is_no_message_is_told(noise: bytes) -> None:
    assert is_whole(MESSAGE)
    assert not is_whole(noise)
    assert not is_whole(MESSAGE + noise) or not noise


@pytest.fixture
def room(root: Path, tmp_path: Path) -> Iterator[Room]:
    """Of the explorer, with little patience."""
    room = Room(root, tmp_path / "log.txt", "--waiting=1", "--idle=10")
    yield room
    room.close()


@pytest.mark.browser
def test_faults_in_mid_run_leave_a_plain_word_and_nothing_else(
    room: Room, tmp_path: Path, chromium: str
) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page()
        page.set_default_timeout(1000 * PATIENCE_S)
        notice = page.locator(".srh-notice")

        def run() -> None:
            page.wait_for_function(f"{STATUS} === 'Replaying'")
            page.get_by_role("combobox", name="Preset").select_option("REFERENCE")
            page.wait_for_function(f"{STATUS} === 'Ready'")
            page.get_by_role("button", name="Run", exact=True).click()
            page.wait_for_function(f"{STATUS} === 'Running'")

        # A browser is lost before its page is connected: its kernel ends by itself, later.
        lost = room.kernel_of(room.ask()[1])

        # The learner's kernel is killed: the page says so, and another one is a click away.
        page.goto(room.address)
        run()
        room.kernel_of(page.content()).kill()
        page.wait_for_function(f"{NOTICE}?.includes('has ended')")
        page.screenshot(path=tmp_path / "killed.png")
        notice.get_by_role("button", name="Start again").click()
        run()

        wait_until(lambda: not lost.is_running())

        # The server is killed, and started anew.
        room.close(signal.SIGKILL)
        page.wait_for_function(f"{NOTICE}?.includes('No connection')")
        page.screenshot(path=tmp_path / "stopped.png")
        room.open()
        page.wait_for_function(f"{NOTICE}?.includes('has ended')")
        notice.get_by_role("button", name="Start again").click()
        run()

        # The page is closed: so is its kernel, and only the one that waits is left.
        kernel = room.kernel_of(page.content())
        page.goto("about:blank")
        browser.close()
    wait_until(lambda: not kernel.is_running())
    wait_until(lambda: len(room.kernels()) == 1)
