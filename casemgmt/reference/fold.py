"""Search keys under which the same thing meets itself, in whichever script and spelling two people typed it.

A key is compared, never shown. It has the form ``space:text``: ``i:`` identifiers, plates and containers, ``n:`` names,
``d:`` digits of our own numbers from the first, ``s:`` a serial alone. It is made of letters, digits, space, colon and
slash only, at most ``LONGEST_KEY`` characters, so it is safe in an index and in a prefix LIKE as it stands.

Changing a rule changes the keys: stored ones must then be made anew.

No function here raises on any text, whatever a keyboard or a phone sends.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from casemgmt.reference import numbers
from casemgmt.reference.alphabets import APOSTROPHES, HYPHENS, IDENTIFIER_BY_LOOK, IDENTIFIER_BY_SOUND, NAME_SOUNDS

LONGEST_KEY = 120
_LONGEST_QUERY = 200
_MOST_QUERY_WORDS = 8
_SHORTEST_IDENTIFIER = 3

_O_AND_I = str.maketrans("OI", "01")
_SEVERAL_PLATES = re.compile(r"[,;/+|&\n]+")
_CONTAINER_SHAPE = re.compile(r"[A-Z]{4}[0-9]{7}")

# Applied in this order and again until nothing changes. Each rule joins spellings of one sound that passports,
# registers and newspapers of the region use side by side.
_NAME_RULES = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        ("shch|sch", "sh"),  # Щ, and German Sch
        ("dzh|dj|zh", "j"),  # Жусупов: Zhusupov, Jusupov; Джон: Dzhon
        ("kh", "h"),  # Хасанов: Khasanov, Hasanov
        ("gh", "g"),
        ("ph", "f"),
        ("ck|q|c(?!h)", "k"),
        ("w", "v"),
        ("y", "i"),  # й и ы
        ("ng", "n"),  # Чынгыз, Чыңгыз, Chyngyz
        (r"(.)\1+", r"\1"),  # Алла, Dmitrii
        ("i[eo]", "e"),  # Yevgeniy, Evgeny; Ёлкин: Yolkin, Elkin
    )
)


class KeyKind(StrEnum):
    """What a text is, which decides the keys it is found under."""

    IDENTIFIER = "identifier"
    PLATE = "plate"
    CONTAINER = "container"
    NAME = "name"
    NUMBER = "number"


class Match(StrEnum):
    EXACT = "exact"
    PREFIX = "prefix"


@dataclass(frozen=True, slots=True)
class QueryKey:
    """One key to look up.

    A record answers a ``route`` when, for every ``term`` of that route, at least one of the term's keys matches one of
    the record's. The answer to the search box is the union of the routes.
    """

    route: str
    term: int
    key: str
    match: Match


def latin_readings(text: str) -> tuple[str, ...]:
    """The identifier in Latin capitals and digits: first by the look of its letters, then, if different, by sound.

    A plate painted with АВ was typed as it looks; a container MSKU typed on a Cyrillic keyboard as МСКУ, as it sounds.
    """
    capitals = unicodedata.normalize("NFKC", text).upper()
    looks, sounds = (_plain(capitals.translate(table)) for table in (IDENTIFIER_BY_LOOK, IDENTIFIER_BY_SOUND))
    return (looks,) if looks == sounds else (looks, sounds)


def fold_identifier(text: str) -> str:
    """The identifier by the look of its letters; separators dropped, letters O and I written as the digits 0 and 1."""
    return latin_readings(text)[0].translate(_O_AND_I)


def fold_name(text: str) -> str:
    """A rough Latin spelling of a name in Cyrillic or Latin letters: lower case, single spaces, no accents.

    Folded together: е ё э ye yo io ie; и й ы i y; ж j zh дж; х kh h; к қ q c ck; ц ts; щ sch sh; ң ng n; в w v;
    doubled letters; apostrophes, soft and hard signs. Not folded: у with ў (Уткир, Ўткир), г with h (Гасанов, Hasanov),
    and other scripts, which are kept as they are.
    """
    return _name_spelling(text, "ks")


def search_keys(kind: KeyKind, text: str) -> set[str]:
    """The keys under which a text is stored. Empty when there is nothing in it to find."""
    match kind:
        case KeyKind.NAME:
            return _name_keys(text)
        case KeyKind.NUMBER:
            return _number_keys(text)
        case KeyKind.CONTAINER:
            return _identifier_keys(text).union(*map(_identifier_keys, _containers_in(text)))
        case KeyKind.PLATE:
            return _identifier_keys(text).union(*map(_identifier_keys, _SEVERAL_PLATES.split(text)))
        case KeyKind.IDENTIFIER:
            return _identifier_keys(text)


def query_keys(text: str) -> list[QueryKey]:
    """What to look up for a text typed into a search box, most certain first. Empty when it holds nothing to find."""
    text = text[:_LONGEST_QUERY].translate(HYPHENS)
    return [*_number_query(text), *_identifier_query(text), *_name_query(text)]


def _plain(text: str) -> str:
    """Letters and digits only, accents dropped, digits of any script as ASCII."""
    kept = (c for c in unicodedata.normalize("NFKD", text) if c.isalnum())
    return "".join(str(unicodedata.decimal(c, c)) for c in kept)


def _key(space: str, folded: str) -> str:
    return f"{space}:{folded}"[:LONGEST_KEY]


def _identifier_keys(text: str) -> set[str]:
    return {_key("i", reading.translate(_O_AND_I)) for reading in latin_readings(text) if reading}


def _containers_in(text: str) -> list[str]:
    """Container numbers with something around them, mostly the size and type code painted below."""
    return [found for reading in latin_readings(text) for found in _CONTAINER_SHAPE.findall(reading)]


def _number_keys(text: str) -> set[str]:
    """An exhibit is found by its seizure's number too. A number of another house is found as an identifier."""
    try:
        number = numbers.parse(text)
    except numbers.TypingError:
        return _identifier_keys(text)
    keys = {_key("d", number.digits), _key("s", str(number.serial))}
    if number.kind is numbers.Kind.EXHIBIT:
        keys.add(_key("d", number.seizure.digits))
    return keys


def _name_keys(text: str) -> set[str]:
    """The whole name and each word that is more than an initial: Ли, Ан and Тё are surnames here."""
    keys = set()
    for spelling in _name_spellings(text):
        keys.add(_key("n", spelling))
        keys.update(_key("n", word) for word in spelling.split() if _is_more_than_initial(word))
    return keys


def _number_query(text: str) -> list[QueryKey]:
    digits = numbers.digits_typed(text)
    if digits is None or not any(c.isdigit() for c in text):  # a word of O and I only is no number
        return []
    try:
        return [QueryKey("number", 0, _key("d", numbers.parse(text).digits), Match.EXACT)]
    except numbers.TypingError:
        found = []
    if len(digits) >= 4:
        found.append(QueryKey("number", 0, _key("d", digits), Match.PREFIX))
    if len(digits) <= 6:
        found.append(QueryKey("number", 0, _key("s", str(int(digits))), Match.EXACT))
    return found


def _identifier_query(text: str) -> list[QueryKey]:
    """Tried for anything with a digit, and for a single word: it may be the beginning of a container number."""
    if len(text.split()) > 1 and not any(c.isdigit() for c in text):
        return []
    readings = dict.fromkeys((*latin_readings(text), *_containers_in(text)))
    return [
        QueryKey("identifier", 0, _key("i", reading.translate(_O_AND_I)), Match.PREFIX)
        for reading in readings
        if len(reading) >= _SHORTEST_IDENTIFIER
    ]


def _name_query(text: str) -> list[QueryKey]:
    """Every word must begin a word of the name, in any order. A hyphenated name is also tried as one word."""
    if not any(c.isalpha() for c in text):
        return []
    routes = [("name", _words(text))]
    if "-" in text:
        routes.append(("name_joined", _words(text.replace("-", ""))))
    return [
        QueryKey(route, term, _key("n", spelling), Match.PREFIX)
        for route, words in routes
        for term, word in enumerate(words[:_MOST_QUERY_WORDS])
        for spelling in sorted(_name_spellings(word))
    ]


def _words(text: str) -> list[str]:
    """The words as typed, without initials unless they are all there is."""
    words = [word for part in text.split() for word in part.split("-") if fold_name(word)]
    return [word for word in words if _is_more_than_initial(fold_name(word))] or words


def _is_more_than_initial(folded: str) -> bool:
    return len(folded) >= 2 or not folded.isascii()


def _name_spellings(text: str) -> set[str]:
    """Latin x is ks in Maxim and kh in Xasanov; a hyphen parts two surnames or joins one: both are kept."""
    text = text.translate(HYPHENS)
    texts = {text, text.replace("-", "")}
    return {spelling for t in texts for x in ("ks", "h") if (spelling := _name_spelling(t, x))}


def _name_spelling(text: str, x: str) -> str:
    # Composed first: й, ё and ў are letters of their own, and would lose their marks below.
    letters = unicodedata.normalize("NFKC", text).casefold().translate(APOSTROPHES).translate(NAME_SOUNDS)
    unmarked = (c for c in unicodedata.normalize("NFKD", letters) if not unicodedata.combining(c))
    words = "".join(c if c.isalnum() else " " for c in unmarked).split()
    return " ".join(filter(None, (_settle(_plain(word).replace("x", x)) for word in words)))


def _settle(word: str) -> str:
    while True:
        folded = word
        for pattern, replacement in _NAME_RULES:
            folded = pattern.sub(replacement, folded)
        if folded == word:
            return word
        word = folded
