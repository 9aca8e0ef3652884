"""A real Chromium looking at the kitchen page over real HTTP."""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from playwright.sync_api import Browser, sync_playwright

from tests.frontend.kitchen import kitchen


@pytest.fixture(scope="session")
def site() -> Iterator[str]:
    """The address of the running kitchen."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(kitchen(), log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=10)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = os.environ.get("CASEMGMT_TEST_CHROMIUM") or shutil.which("chromium")
    assert path, "Chromium is needed: install it or name it in CASEMGMT_TEST_CHROMIUM"
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=path, args=["--disable-gpu", "--no-first-run"])
        yield found
        found.close()
