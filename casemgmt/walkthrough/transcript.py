"""What happened, told for a reader; and what should have happened and did not, told at once."""

from __future__ import annotations

from pathlib import Path


class NotAsToldError(Exception):
    """A step, a refusal or a verification went otherwise than the story says."""


class Transcript:
    """A Markdown file that grows as the story goes on, so that a story cut short can still be read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.checks = 0
        path.write_text("", encoding="utf-8")

    def heading(self, words: str) -> None:
        self._write(f"\n## {words}\n")

    def say(self, words: str) -> None:
        """One thing that was done."""
        self._write(f"- {words}")

    def check(self, held: bool, words: str) -> None:
        """One thing that must be so. Raises NotAsToldError when it is not."""
        self._write(f"  - {'holds' if held else 'DOES NOT HOLD'}: {words}")
        self.checks += 1
        if not held:
            raise NotAsToldError(words)

    def quote(self, text: str) -> None:
        """Something a program printed."""
        lines = "\n".join(f"      {line}" for line in text.rstrip().splitlines())
        self._write(f"\n{lines}\n")

    def _write(self, line: str) -> None:
        print(line, flush=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
