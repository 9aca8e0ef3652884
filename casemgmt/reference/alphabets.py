"""Letter tables for folding: which Cyrillic letters look like which Latin ones, and how they sound.

Sources: the shapes of the letters in the plate fonts of the region; passport and common newspaper spellings for
Russian, Kyrgyz, Kazakh, Tajik and Uzbek names. They serve search only. Nothing folded is ever shown or printed.
"""

from __future__ import annotations

# Capitals that cannot be told apart in print, or hardly.
_LOOKS = str.maketrans("АВЕЁКМНОРСТУХЅІЇЈԚԜҮҰҺҢҚҲӘӨЗӮЎ", "ABEEKMHOPCTYXSIIJQWYYHHKXAO3YY")

_SHARED = {
    "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ё": "e", "ж": "j", "з": "z", "и": "i", "к": "k",
    "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t", "у": "u", "ф": "f", "х": "h",
    "ч": "ch", "ш": "sh", "щ": "sh", "ъ": "", "ь": "", "э": "e", "ғ": "g", "қ": "k", "ҳ": "h", "ҷ": "j", "ң": "n",
    "ө": "o", "ү": "u", "ұ": "u", "һ": "h", "ә": "a", "і": "i", "ї": "i", "є": "e", "ґ": "g", "ӣ": "i", "ӯ": "u",
    "ў": "o", "ј": "j", "ѕ": "s",
}  # fmt: skip

# For names, both scripts are brought to one rough Latin spelling, so accented Latin letters are here as well.
NAME_SOUNDS = str.maketrans(
    _SHARED
    | {"й": "i", "ы": "i", "ц": "ts", "ю": "iu", "я": "ia"}
    | {"ç": "ch", "č": "ch", "ş": "sh", "š": "sh", "ž": "j", "ğ": "g", "ı": "i", "ł": "l", "ø": "o", "đ": "d", "ə": "a"}
)

# For identifiers, one capital for one letter wherever there is one: МСКУ is MSKU, ЦМАУ is CMAU.
_SOUNDS = str.maketrans(
    {
        letter.upper(): sound.upper()
        for letter, sound in (_SHARED | {"й": "j", "ы": "y", "ц": "c", "ю": "yu", "я": "ya"}).items()
    }
)

# A letter without a look-alike is read by its sound, and the other way round, so that both readings are all Latin.
IDENTIFIER_BY_LOOK = _SOUNDS | _LOOKS
IDENTIFIER_BY_SOUND = _LOOKS | _SOUNDS

# Oʻ, Gʻ, the soft sign and the hamza are written with any of these, or left out.
APOSTROPHES = str.maketrans(dict.fromkeys("'’‘ʻʼʽ`´′ʹʾʿ", ""))

HYPHENS = str.maketrans(dict.fromkeys("‐‑‒–—―−", "-"))
