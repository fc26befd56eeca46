"""``srheart explore``: the dashboard in the browser, served by Voilà."""

import argparse
import os
import socket

from srheart_demo.cli.errors import BadInput, check_installed, refused
from srheart_demo.files import shipped

NOTEBOOK = "apps/explorer.ipynb"
HOST = "localhost"  # Where Voilà listens unless it is told another address


def run(options: argparse.Namespace) -> None:
    """Serve until Ctrl-C."""
    check_installed("app", "the explorer")
    if options.language is not None:
        from srheart_demo.dashboard import texts

        with refused("--language: {error}.", KeyError):
            texts.catalogue(options.language)
        os.environ[texts.VARIABLE] = options.language  # which the page's Python inherits
    arguments = [str(shipped(NOTEBOOK)), f"--Voila.config_file_paths={shipped('.')}"]
    if options.port is not None:
        _check_free(options.port)
        arguments += [f"--port={options.port}", "--Voila.port_retries=0"]
    if options.no_browser:
        arguments += ["--no-browser"]

    opens = "your browser opens by itself" if not options.no_browser else "open the address below"
    print(f"Starting the explorer; {opens}. Stop it here with Ctrl-C.", flush=True)

    from srheart_demo.cli import kernels

    kernels.prepare()

    from voila.app import Voila

    Voila.launch_instance([*arguments, *options.passed_on])


def _check_free(port: int) -> None:
    """Refuse a port where nobody may listen, and say why."""
    try:
        socket.create_server((HOST, port)).close()
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or error
        raise BadInput.of("port", port=port, why=why) from error
