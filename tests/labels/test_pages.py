"""Choosing and printing labels, and what a scanned one leads to."""

from __future__ import annotations

from typing import Any

import zxingcpp

from casemgmt.core.codes import Codes
from casemgmt.core.db import Database
from tests.cast import World
from tests.labels.test_drawing import rendered, words
from tests.records import register_seizure


def codes_of(app: Any, exhibits: Any) -> list[str]:
    codes: Codes = app.state.codes
    return [codes.encode("exhibit", exhibit.id) for exhibit in exhibits]


async def test_labels_of_a_seizure_are_printed_and_a_scan_leads_to_the_exhibit(
    app: Any, browser: Any, world: World, database: Database
) -> None:
    made = await register_seizure(database, world.aida, "B-1001", "B-1002")
    codes, aida = codes_of(app, made.exhibits), browser(world.aida)
    seizure = await aida.get(f"/seizures/{app.state.codes.encode('seizure', made.seizure.id)}")
    address = "/labels?" + "&amp;".join(f"exhibit={code}" for code in codes)
    assert address in seizure.text
    choosing = await aida.get(address.replace("&amp;", "&"))
    assert made.exhibits[1].number in choosing.text
    printed = await aida.get("/labels/print", params={"exhibit": codes, "stock": "100x50"})
    assert (printed.status_code, printed.headers["content-type"]) == (200, "application/pdf")
    shown = words(printed.content)
    assert all(exhibit.number in shown for exhibit in made.exhibits)
    assert "B-1001" in shown
    (code,) = zxingcpp.read_barcodes(rendered(printed.content))
    assert code.text == f"{app.state.settings.public_url}/x/{codes[0]}"
    led = await aida.get(code.text.removeprefix(app.state.settings.public_url))
    assert (led.status_code, led.headers["location"]) == (302, f"/exhibits/{codes[0]}")


async def test_the_stock_of_the_printer_is_remembered_on_the_device(
    app: Any, browser: Any, world: World, database: Database
) -> None:
    made = await register_seizure(database, world.aida, "B-1003")
    codes, aida = codes_of(app, made.exhibits), browser(world.aida)
    assert 'value="62x29" checked' in (await aida.get("/labels", params={"exhibit": codes})).text
    await aida.get("/labels/print", params={"exhibit": codes, "stock": "51x25"})
    assert 'value="51x25" checked' in (await aida.get("/labels", params={"exhibit": codes})).text


async def test_a_label_of_a_hidden_exhibit_is_not_found(
    app: Any, browser: Any, world: World, database: Database
) -> None:
    made = await register_seizure(database, world.aida, "B-1004")
    codes = codes_of(app, made.exhibits)
    for path in ("/labels", "/labels/print"):
        answer = await browser(world.timur).get(path, params={"exhibit": codes, "stock": "62x29"})
        assert answer.status_code == 404
        assert made.exhibits[0].number not in answer.text


async def test_an_unknown_stock_and_no_exhibits_are_answered_in_words(
    app: Any, browser: Any, world: World, database: Database
) -> None:
    made = await register_seizure(database, world.aida, "B-1005")
    aida = browser(world.aida)
    wrong = await aida.get("/labels/print", params={"exhibit": codes_of(app, made.exhibits), "stock": "a4"})
    assert wrong.status_code == 422
    assert "Choose one of the given stocks." in wrong.text
    nothing = await aida.get("/labels/print", params={"stock": "62x29"})
    assert nothing.status_code == 422
    assert "Choose at least one exhibit." in nothing.text
    assert "No exhibits chosen" in (await aida.get("/labels")).text


async def test_too_many_labels_are_refused_before_any_is_drawn(
    app: Any, browser: Any, world: World, database: Database
) -> None:
    made = await register_seizure(database, world.aida, *[f"B-{n}" for n in range(101)])
    codes, aida = codes_of(app, made.exhibits), browser(world.aida)
    assert "Too many labels at once" in (await aida.get("/labels", params={"exhibit": codes})).text
    answer = await aida.get("/labels/print", params={"exhibit": codes, "stock": "62x29"})
    assert answer.status_code == 422
    assert "At most 100 labels" in answer.text
