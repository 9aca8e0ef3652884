"""Search keys: what must meet, what must not, and that no text breaks them."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casemgmt.reference.fold import (
    LONGEST_KEY,
    KeyKind,
    Match,
    QueryKey,
    fold_identifier,
    fold_name,
    latin_readings,
    query_keys,
    search_keys,
)

IDENTIFIERS = [KeyKind.IDENTIFIER, KeyKind.PLATE, KeyKind.CONTAINER]


def finds(query: str, kind: KeyKind, stored: str) -> bool:
    """Whether a text typed into the search box finds a stored one, by the rule QueryKey documents."""
    stored_keys = search_keys(kind, stored)

    def matches(key: QueryKey) -> bool:
        if key.match is Match.EXACT:
            return key.key in stored_keys
        return any(stored_key.startswith(key.key) for stored_key in stored_keys)

    terms: dict[str, dict[int, bool]] = {}
    for key in query_keys(query):
        route = terms.setdefault(key.route, {})
        route[key.term] = route.get(key.term, False) or matches(key)
    return any(all(route.values()) for route in terms.values())


def meet(kind: KeyKind, one: str, other: str) -> bool:
    return not search_keys(kind, one).isdisjoint(search_keys(kind, other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("МСКУ6011672", "MSKU6011672"),  # all Cyrillic, by sound
        ("МSKU6011672", "MSKU6011672"),  # Cyrillic М among Latin letters
        ("СSQU3054383", "CSQU3054383"),  # Cyrillic С, by look
        ("ЦМАУ 123456-7", "CMAU1234567"),
        ("msku 601167-2", "MSKU6011672"),
        ("MSKU6011672 22G1", "MSKU6011672"),
        ("ＭＳＫＵ６０１１６７２", "MSKU6011672"),
    ],
)
def test_a_container_meets_itself_in_both_scripts(one: str, other: str) -> None:
    assert meet(KeyKind.CONTAINER, one, other)
    assert finds(one, KeyKind.CONTAINER, other)
    assert finds(other, KeyKind.CONTAINER, one)


def test_every_look_alike_capital_meets_its_twin() -> None:
    for cyrillic, latin in zip("АВЕКМНОРСТУХ", "ABEKMHOPCTYX", strict=True):
        assert meet(KeyKind.PLATE, f"{cyrillic}123{cyrillic}{cyrillic}77", f"{latin}123{latin}{latin}77")
        assert meet(KeyKind.IDENTIFIER, cyrillic.lower(), latin)


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        (KeyKind.PLATE, "А 123 ВС 77", "a123bc77"),
        (KeyKind.PLATE, "01 KG 123 АВС", "01KG123ABC"),
        (KeyKind.PLATE, "01КГ123АВС", "01KG123AVS"),
        (KeyKind.PLATE, "A123BC77 / AB123477", "ab1234 77"),
        (KeyKind.IDENTIFIER, "AN № 1234567", "an-1234567".replace("-", " № ")),
        (KeyKind.IDENTIFIER, "ОО123", "00123"),
        (KeyKind.IDENTIFIER, "I-1", "11"),
    ],
)
def test_identifiers_meet_whatever_the_separators_and_the_script(kind: KeyKind, one: str, other: str) -> None:
    assert meet(kind, one, other)


def test_different_identifiers_stay_apart() -> None:
    assert not meet(KeyKind.CONTAINER, "MSKU6011672", "MSKU6011673")
    assert not meet(KeyKind.CONTAINER, "MSKU6011672", "MSCU6011672")
    assert not meet(KeyKind.PLATE, "A123BC77", "A132BC77")


def test_a_latin_identifier_has_a_single_reading() -> None:
    assert latin_readings("MSKU 601167-2") == ("MSKU6011672",)
    assert latin_readings("МСКУ6011672") == ("MCKY6011672", "MSKU6011672")


NAMES = [
    ("Жусупов", "Zhusupov", "Jusupov", "Žusupov"),
    ("Хасанов", "Khasanov", "Hasanov", "Xasanov"),
    ("Максим", "Maksim", "Maxim"),
    ("Ёлкин", "Елкин", "Yolkin", "Elkin"),
    ("Дмитрий", "Dmitriy", "Dmitry", "Dmitrii", "Dmitri"),
    ("Евгений", "Yevgeniy", "Evgeny", "Evgenii"),
    ("Юсупов", "Yusupov", "Iusupov"),
    ("Чыңгыз", "Чынгыз", "Chyngyz", "Chingiz"),
    ("Өмүрбек", "Омурбек", "Omurbek"),
    ("Айгүль", "Айгуль", "Aigul", "Aygul"),
    ("Қасым", "Касым", "Kasym", "Qasym"),
    ("Ғани", "Гани", "Gani", "Gʻani", "G'ani"),
    ("Әсел", "Асель", "Asel", "Äsel"),
    ("Нұржан", "Нуржан", "Nurzhan", "Nurjan"),
    ("Ўткир", "Oʻtkir", "O'tkir", "O‘tkir", "Otkir"),
    ("Бахтиёр", "Baxtiyor", "Bakhtiyor"),
    ("Ҷамшед", "Джамшед", "Jamshed", "Dzhamshed"),
    ("Раҳмонӣ", "Рахмони", "Rahmoni", "Rakhmoni"),
    ("Щукин", "Shchukin", "Schukin"),
    ("Мухаммад", "Muhammad", "Mukhammad", "Muxammad", "Мухамад"),
    ("Алексей", "Aleksey", "Alexey", "Alexei"),
    ("Виктор", "Viktor", "Victor"),
    ("Нур-Султан", "Нурсултан", "Nur-Sultan", "Nursultan", "Nur–Sultan"),
    ("ИВАНОВ", "иванов", "Ivanov", "Ivánov", "Ivanow"),
    ("Царёв", "Tsarev", "Царев"),
]


@pytest.mark.parametrize("spellings", NAMES, ids=lambda spellings: spellings[0])
def test_a_name_meets_itself_in_every_spelling(spellings: tuple[str, ...]) -> None:
    for one in spellings:
        for other in spellings:
            assert meet(KeyKind.NAME, one, other), (one, other)
            assert finds(one, KeyKind.NAME, f"{other} Bakyt"), (one, other)


@pytest.mark.parametrize(
    ("one", "other"), [("Асанов", "Усенов"), ("Иванов", "Петров"), ("Алиев", "Валиев"), ("Жумабек", "Кубанычбек")]
)
def test_different_names_stay_apart(one: str, other: str) -> None:
    assert not meet(KeyKind.NAME, one, other)


def test_a_person_is_found_by_any_words_in_any_order_and_unfinished() -> None:
    stored = "Асанов Бакыт Жээнбекович"
    for query in ("Бакыт Асанов", "asanov", "ASAN", "Жээн асан", "bakyt jeenbekovich"):
        assert finds(query, KeyKind.NAME, stored), query
    assert not finds("Асанов Бакыт Петрович", KeyKind.NAME, stored)


@pytest.mark.parametrize("name", ["Ли", "Владимир Ли", "Ан В.", "Тё Сергей", "李 伟", "Ю"])
def test_short_names_and_other_scripts_are_found_too(name: str) -> None:
    assert finds(name, KeyKind.NAME, name)


def test_our_numbers_are_found_whole_in_part_and_by_serial() -> None:
    stored = "2026-0412-00137-9/3"
    for query in (stored, "2026-0412-00137-9", "20260412001379", "2026-0412", "137", "№ 00137"):
        assert finds(query, KeyKind.NUMBER, stored), query
    assert not finds("2026-0412-00137-9/4", KeyKind.NUMBER, stored)
    assert not finds("2026-0413", KeyKind.NUMBER, stored)
    assert not finds("13", KeyKind.NUMBER, stored)


def test_a_number_of_another_house_is_found_as_an_identifier() -> None:
    assert finds("КУИ-123/26", KeyKind.NUMBER, "КУИ 123 26")


def test_the_search_box_tries_the_routes_that_make_sense() -> None:
    assert {key.route for key in query_keys("2026-0412-00137-9")} == {"number", "identifier"}
    assert {key.route for key in query_keys("Асанов Бакыт")} == {"name"}
    assert {key.route for key in query_keys("MSKU")} == {"identifier", "name"}
    assert query_keys("") == query_keys(" - / ") == []


def test_nothing_to_find_gives_no_keys() -> None:
    for kind in KeyKind:
        assert search_keys(kind, "") == set()
        assert search_keys(kind, " -–/' ") == set()


any_text = st.text(st.characters(), max_size=60)  # surrogates and control characters included


@given(any_text)
def test_no_text_breaks_the_keys_and_every_key_is_safe_in_an_index(text: str) -> None:
    keys = {key for kind in KeyKind for key in search_keys(kind, text)} | {key.key for key in query_keys(text)}
    for key in keys:
        key.encode()
        assert len(key) <= LONGEST_KEY
        assert re.fullmatch(r"[ids]:[^\W_]+(/\d+)?|n:[^\W_]+( [^\W_]+)* ?", key), key


def test_a_very_long_text_gives_short_keys_and_few_questions() -> None:
    assert all(len(key) <= LONGEST_KEY for kind in KeyKind for key in search_keys(kind, "Ж1" * 5_000))
    assert len(query_keys("слово-" * 10_000)) < 60


@given(any_text)
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold_name(fold_name(text)) == fold_name(text)
    assert fold_identifier(fold_identifier(text)) == fold_identifier(text)


letters = st.text("абвгдеёжзийклмнопрстуфхцчшщъыьэюяңөүәғқұіҳҷӣӯўabcdefghijklmnopqrstuvwxyz -'", max_size=40)


@given(letters)
def test_case_composition_and_spacing_do_not_matter(text: str) -> None:
    assert fold_name(text.upper()) == fold_name(text)
    assert fold_name(unicodedata.normalize("NFD", text)) == fold_name(text)
    assert fold_name(f"  {text.replace(' ', '   ')} ") == fold_name(text)
    assert fold_identifier(text.upper()) == fold_identifier(text)


@given(letters)
def test_names_of_the_region_fold_to_plain_latin(text: str) -> None:
    assert re.fullmatch(r"[a-z ]*", fold_name(text))


@given(st.sampled_from(list(KeyKind)), any_text)
def test_a_text_always_meets_itself_in_another_normal_form(kind: KeyKind, text: str) -> None:
    assert search_keys(kind, unicodedata.normalize("NFC", text)) == search_keys(
        kind, unicodedata.normalize("NFKC", text)
    )


def test_a_word_of_letters_that_look_like_digits_is_not_taken_for_a_number() -> None:
    assert "number" not in {key.route for key in query_keys("ООО")}
