"""Fonts for printed documents: with the machine's own, a report would look otherwise on the next machine."""

from importlib.resources import files
from pathlib import Path

FOLDER = Path(str(files(__name__)))
"""Noto Sans and Noto Sans Mono: Latin, Greek and Cyrillic with the letters of Kyrgyz, Kazakh, Tajik and Uzbek."""
