"""JupyterHub for learners on one machine: a login, a server for each, limits, the explorer first.

    pip install -e ".[app,hub]" -c constraints.txt     # and configurable-http-proxy, by npm or apt
    SRHEART_PASSWORD="a word for the room" jupyterhub -f share/hub/jupyterhub_config.py

in the repository's top folder. Everybody logs in with a name of their own and the common password,
and comes to the explorer; /lab in the address leads to the lessons. docs/deployment.md says what to
change for a hub that strangers can reach.
"""

import os
import resource
import sys
from pathlib import Path

from jupyterhub.spawner import SimpleLocalProcessSpawner

ROOT = Path(__file__).resolve().parents[2]
STATE = Path(os.environ.get("SRHEART_HUB_STATE", ROOT / "out" / "hub"))
"""The hub's database, its secret, and the learners' folders."""
GB = 2**30


class LimitedProcesses(SimpleLocalProcessSpawner):
    """Servers as processes of the hub's own user, whose every process has a limit on its memory.

    SystemdSpawner, DockerSpawner and KubeSpawner keep `mem_limit` and `cpu_limit` for all of a
    learner's processes together. Plain processes know no such sum, so each gets the whole limit,
    and one core because it computes with one thread.
    """

    def make_preexec_fn(self, name):
        """What a server's process does before anything else."""
        inherited, limit = super().make_preexec_fn(name), self.mem_limit

        def limited():
            inherited()
            if limit and hasattr(resource, "RLIMIT_DATA"):
                resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))

        return limited


STATE.mkdir(parents=True, exist_ok=True, mode=0o700)
c = get_config()  # noqa: F821 (JupyterHub gives it)

c.JupyterHub.bind_url = os.environ.get("SRHEART_HUB_URL", "http://:8000")
c.JupyterHub.db_url = f"sqlite:///{STATE / 'jupyterhub.sqlite'}"
c.JupyterHub.cookie_secret_file = str(STATE / "cookie_secret")
c.JupyterHub.active_server_limit = int(os.environ.get("SRHEART_LEARNERS", "20"))
c.JupyterHub.concurrent_spawn_limit = max(2, os.cpu_count() or 2)
c.JupyterHub.cleanup_servers = True  # a hub that stops leaves no process

# One password for the room. Others: "pam" for this machine's users, "native" for own passwords.
c.JupyterHub.authenticator_class = "shared-password"
c.SharedPasswordAuthenticator.user_password = os.environ.get("SRHEART_PASSWORD")
c.Authenticator.allow_all = True

c.JupyterHub.spawner_class = LimitedProcesses
c.SimpleLocalProcessSpawner.home_dir_template = str(STATE / "{username}")
c.Spawner.cmd = [sys.executable, "-m", "jupyterhub.singleuser"]
c.Spawner.notebook_dir = str(ROOT)
c.Spawner.default_url = "/voila/render/apps/explorer.ipynb"
c.Spawner.environment = {"OMP_NUM_THREADS": "1"}
c.Spawner.mem_limit = 2 * GB
c.Spawner.cpu_limit = 1.0
c.Spawner.start_timeout = 120
c.Spawner.http_timeout = 120
# A closed page's kernel ends by this, not at once as under Voilà alone, for a whole Jupyter server
# keeps its XSRF check.
c.Spawner.args = [
    "--MappingKernelManager.cull_idle_timeout=120",
    "--MappingKernelManager.cull_interval=20",
    "--KernelRestarter.restart_limit=0",
    "--VoilaExecutor.iopub_timeout=120",  # a busy machine shows late
    "--ServerApp.shutdown_no_activity_timeout=3600",
]
