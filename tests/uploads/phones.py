"""Photographs that go up from a real browser with the phone's own queue, while it is killed again and again."""

from __future__ import annotations

import math
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from playwright.sync_api import Error as BrowserError
from playwright.sync_api import Playwright, expect, sync_playwright

from tests.cast import Member
from tests.chromium import QUIET, program
from tests.evidence.conftest import sha256
from tests.intake.pictures import picture
from tests.phone.handset import Handset

LARGEST = 3 << 20
EACH = 5  # photographs of one seizure
PATIENCE = 240.0  # seconds until all of one seizure's photographs are verified; longer is a failure


def photographs(seed: int, count: int, folder: Path) -> list[tuple[Path, str]]:
    """Files of random sizes and their hashes."""
    made = []
    for number in range(count):
        chance = random.Random(f"{seed}/photograph/{number}")
        data = picture(number % 250) + chance.randbytes(int(math.exp(chance.uniform(0, math.log(LARGEST)))))
        path = folder / f"IMG_{number:04}.jpg"
        path.write_bytes(data)
        made.append((path, sha256(data)))
    return made


class Device:
    """A Chromium on a profile that stays; ``kill`` is kill -9 of all its processes at once."""

    def __init__(self, playwright: Playwright, profile: Path, server: str, member: Member) -> None:
        self._playwright, self._profile, self._server, self._member = playwright, profile, server, member

    def start(self) -> Handset:
        context = self._playwright.chromium.launch_persistent_context(
            str(self._profile), executable_path=program(), args=[*QUIET], base_url=self._server, locale="en-GB",
            timeout=120_000,
        )  # fmt: skip
        phone = Handset.of(context, self._server)
        context.set_default_timeout(60_000)
        phone.sign_in(self._member)
        return phone

    def kill(self) -> None:
        """Its processes are those that name the profile, which no other browser has."""
        named = f"--user-data-dir={self._profile}".encode()
        while found := [process for process in Path("/proc").glob("[0-9]*") if named in _command(process)]:
            for process in found:
                with suppress(ProcessLookupError):
                    os.kill(int(process.name), signal.SIGKILL)
            time.sleep(0.05)


def _command(process: Path) -> list[bytes]:
    try:
        if process.joinpath("stat").read_text().rpartition(")")[2].split()[0] == "Z":
            return []
        return process.joinpath("cmdline").read_bytes().replace(b" ", b"\0").split(b"\0")
    except OSError:
        return []  # it ended


@contextmanager
def device(folder: Path, server: str, member: Member) -> Iterator[Device]:
    with sync_playwright() as playwright:
        made = Device(playwright, folder, server, member)
        try:
            yield made
        finally:
            made.kill()


def send_all(
    seed: int, photos: list[Path], folder: Path, server: str, member: Member, seen: Counter[str],
    ready: Callable[[], None],
) -> int:  # fmt: skip
    """Every photograph captured, saved and verified by the server; how many seizures they are. Blocks. Calls ``ready``
    when the phone has its PIN and the bad day may begin."""
    chance = random.Random(f"{seed}/browser")
    batches = [photos[start : start + EACH] for start in range(0, len(photos), EACH)]
    with device(folder, server, member) as browser:
        phone = browser.start()
        phone.set_up(member)
        ready()
        for done, batch in enumerate(batches, 1):
            capture(phone, batch, done - 1)
            for _ in range(chance.choice((1, 1, 2, 3))):
                sending(phone, chance.uniform(0, 1.5))
                browser.kill()
                seen["browsers killed"] += 1
                phone = browser.start()
                look(phone)
            verified(phone, done)
            phone.expect_chunks(0)
    return len(batches)


def look(phone: Handset) -> None:
    again(lambda: phone.page.goto("/phone"))


def again(work: Callable[[], Any], times: int = 20) -> None:
    """A page that a bad network did not bring is asked for again, as a person does."""
    for left in reversed(range(times)):
        try:
            work()
        except BrowserError as error:
            if left == 0 or not any(word in str(error) for word in ("net::", "Timeout", "interrupted")):
                raise
            time.sleep(0.5)
        else:
            return


def capture(phone: Handset, photos: list[Path], before: int) -> None:
    def seizure() -> None:
        phone.page.goto("/phone")
        if len(saved(phone)) > before:  # it was kept, and only the page behind it did not come
            return
        phone.begin()
        phone.page.set_input_files("#photos-gallery", [str(path) for path in photos])
        expect(phone.page.locator("[data-shots-list] li")).to_have_count(len(photos), timeout=60_000)
        phone.fill()
        phone.save()

    again(seizure)


def saved(phone: Handset) -> list[str]:
    return [row["state"] for row in phone.rows() if row["state"] != "draft"]


def sending(phone: Handset, then: float) -> None:
    """Wait until something is on its way, or all is there already, and a little longer."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and set(saved(phone)) - {"sending", "verified"}:
        phone.page.wait_for_timeout(100)
    phone.page.wait_for_timeout(then * 1000)


def verified(phone: Handset, count: int) -> None:
    """Wait until so many seizures are; the person looks and presses the button now and then."""
    deadline = time.monotonic() + PATIENCE
    while (states := saved(phone)) != ["verified"] * count:
        assert time.monotonic() < deadline, (states, phone.rows(), phone.rows("facts"))
        assert len(states) == count, "what was saved is in the store"
        if phone.page.locator("[data-unlock]").is_visible():
            phone.unlock()
        button = phone.page.get_by_role("button", name="Send now")
        if button.is_visible():
            with suppress(BrowserError):
                button.click(timeout=2000)
        phone.page.wait_for_timeout(1000)
