"""The vector files of the specification pages, which these tests and other implementations read."""

import json
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parents[2] / "docs" / "spec" / "vectors"


def vectors(name: str) -> Any:
    return json.loads((_FOLDER / name).read_text("utf-8"))
