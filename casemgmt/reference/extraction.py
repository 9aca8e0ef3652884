"""Lets Babel find the labels of the code lists, so that a new code cannot miss the catalogues.

Named to Babel as the extraction method ``casemgmt.reference.extraction:extract_labels`` of ``data/*.toml``.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from typing import IO

_LABEL_LINE = re.compile(r"^label *= *")


def extract_labels(
    source: IO[bytes],
    keywords: Mapping[str, object],
    comment_tags: Sequence[str],
    options: Mapping[str, str],
) -> Iterator[tuple[int, str, str, list[str]]]:
    """Yield line number, function name, message id and comments for each ``label`` line."""
    for line_number, line in enumerate(source.read().decode().splitlines(), start=1):
        if _LABEL_LINE.match(line):
            yield line_number, "", tomllib.loads(line)["label"], []
