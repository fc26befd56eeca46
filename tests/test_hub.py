"""The JupyterHub configuration: two learners log in and get the explorer, each within limits."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import requests
from processes import PATIENCE_S, free_port, wait_until

PASSWORD = "a word for the room"

# The proxy is a program of node that tests should not need: this one only remembers its routes,
# and `Learner` goes them.
WITHOUT_PROXY = """
import json, pathlib
from jupyterhub.proxy import Proxy

class Routes(Proxy):
    should_start = False
    routes = {{}}

    async def add_route(self, routespec, target, data):
        self.routes[routespec] = {{"routespec": routespec, "target": target, "data": data}}
        kept = {{path: route["target"] for path, route in self.routes.items()}}
        pathlib.Path({routes!r}).write_text(json.dumps(kept))

    async def delete_route(self, routespec):
        self.routes.pop(routespec, None)

    async def get_all_routes(self):
        return self.routes

load_subconfig({config!r})
c.JupyterHub.proxy_class = Routes
c.JupyterHub.hub_port = {port}
# CI's user may be root, and may keep Jupyter's files elsewhere.
c.Spawner.args = [*c.Spawner.args, "--allow-root"]
c.Spawner.environment |= {jupyter!r}
"""


class Learner:
    """A browser, as far as logging in and opening pages goes."""

    def __init__(self, name: str, routes: Path) -> None:
        self.name, self.routes = name, routes
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.cookies.set_policy(DefaultCookiePolicy(strict_ns_domain=0))

    def go(self, method: str, path: str, **form: str) -> requests.Response:
        for _ in range(20):
            routes = json.loads(self.routes.read_text())
            spec = max((spec for spec in routes if path.startswith(spec)), key=len)
            target = urlsplit(routes[spec])
            answer = self.session.request(
                method,
                f"{target.scheme}://{target.netloc}{path}",
                data=form or None,
                headers={"Sec-Fetch-Mode": "navigate"},
                allow_redirects=False,
                timeout=PATIENCE_S,
            )
            if "location" not in answer.headers:
                return answer
            goal = urlsplit(answer.headers["location"])
            method, form = "GET", {}
            path = goal.path + (f"?{goal.query}" if goal.query else "")
        raise AssertionError(f"sent round in circles to {path}")

    def log_in(self) -> None:
        page = self.go("GET", "/hub/login")
        token = re.search(r'name="_xsrf" value="([^"]+)"', page.text)
        assert token, page.text
        self.go("POST", "/hub/login", username=self.name, password=PASSWORD, _xsrf=token[1])

    def open(self) -> str:
        """The page that comes first, once the server stands."""
        end = time.monotonic() + PATIENCE_S
        while "kernelId" not in (page := self.go("GET", f"/hub/user/{self.name}/")).text:
            assert time.monotonic() < end, page.text[-3000:]
            assert page.status_code < 500, page.text[-3000:]
            if f"/hub/spawn/{self.name}" in page.text:
                self.go("GET", f"/hub/spawn/{self.name}")
            time.sleep(1)
        return page.text


def test_two_learners_each_get_the_explorer_within_limits(root: Path, tmp_path: Path) -> None:
    port = free_port()
    config, routes, log = (tmp_path / name for name in ("config.py", "routes.json", "log.txt"))
    shipped = str(root / "share/hub/jupyterhub_config.py")
    jupyter = {name: path for name, path in os.environ.items() if name.startswith("JUPYTER_")}
    config.write_text(
        WITHOUT_PROXY.format(routes=str(routes), config=shipped, port=port, jupyter=jupyter)
    )
    environment = os.environ | {"SRHEART_PASSWORD": PASSWORD, "SRHEART_HUB_STATE": str(tmp_path)}
    with log.open("w") as output:
        hub = psutil.Popen(
            [sys.executable, "-m", "jupyterhub", "-f", str(config)],
            cwd=root, env=environment, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
    family: list[psutil.Process] = []
    try:
        wait_until(lambda: "JupyterHub is now running" in log.read_text(), log.read_text)
        pages = []
        for name in ("ada", "ben"):
            learner = Learner(name, routes)
            learner.log_in()
            pages.append(learner.open())
        assert all("srh-notice" in page for page in pages), "the explorer's own template"
        family = hub.children(recursive=True)
        servers = [one for one in family if "jupyterhub.singleuser" in one.cmdline()]
        kernels = [one for one in family if "ipykernel_launcher" in one.cmdline()]
        assert len(servers) == len(kernels) == 2
        for process in servers + kernels:
            assert process.rlimit(psutil.RLIMIT_DATA) == (2 * 2**30, 2 * 2**30)
        assert all(kernel.environ()["OMP_NUM_THREADS"] == "1" for kernel in kernels)
    finally:
        family = family or hub.children(recursive=True)
        hub.send_signal(signal.SIGTERM)
        hub.wait(PATIENCE_S)
    assert not psutil.wait_procs(family, PATIENCE_S)[1], "the hub left processes behind"
