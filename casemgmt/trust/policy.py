"""C2SP tlog-policy: which logs a reader believes, and how many witnesses must have cosigned."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from casemgmt.trust.checkpoint import Checkpoint
from casemgmt.trust.encoding import from_decimal, shown
from casemgmt.trust.errors import EncodingError, NoteError, PolicyError
from casemgmt.trust.keys import COSIGNATURE, NOTE, VerifierKey
from casemgmt.trust.note import Note

NO_QUORUM = "none"

MAX_LINES = 1000


@dataclass(frozen=True, slots=True)
class Witness:
    key: VerifierKey
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Witnesses a checkpoint when at least `threshold` of its members (witnesses or groups) do."""

    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Accepted:
    """A checkpoint the policy accepts; `witnessed` maps witness names to their cosignature's POSIX time."""

    checkpoint: Checkpoint
    log: VerifierKey
    witnessed: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Policy:
    logs: tuple[VerifierKey, ...]
    witnesses: Mapping[str, Witness] = field(default_factory=dict)
    groups: Mapping[str, Group] = field(default_factory=dict)
    quorum: str = NO_QUORUM

    @classmethod
    def parse(cls, text: str) -> "Policy":
        """Reads a policy.  Stricter than the format in one point: text that is not UTF-8 cannot come here."""
        return _Parser().parse(text)

    def __str__(self) -> str:
        lines = [f"log {key}" for key in self.logs]
        for name, witness in self.witnesses.items():
            lines.append(" ".join(filter(None, ["witness", name, str(witness.key), witness.url])))
        for name, group in self.groups.items():
            lines.append(f"group {name} {group.threshold} {' '.join(group.members)}")
        lines.append(f"quorum {self.quorum}")
        return "\n".join(lines) + "\n"

    def pinned_to(self, log: VerifierKey) -> "Policy":
        """This policy believing only `log`, which it must already name."""
        if log not in self.logs:
            raise PolicyError(f"the policy does not name the log key {log}")
        return replace(self, logs=(log,))

    def accept(self, note: Note) -> Accepted:
        """Raises `PolicyError`, `CheckpointError` or `SignatureInvalidError` unless the policy accepts."""
        checkpoint = Checkpoint.parse(note.text)
        logs = note.signed_by(key for key in self.logs if key.name == checkpoint.origin)
        if not logs:
            raise PolicyError(f"no log of the policy signed the checkpoint of {checkpoint.origin}")
        keys = {witness.key: name for name, witness in self.witnesses.items()}
        witnessed = {keys[key]: signature.time for key, signature in note.signed_by(keys)}
        if not self.met_by(witnessed):
            names = ", ".join(sorted(witnessed)) or "nobody"
            raise PolicyError(f"the quorum {self.quorum} is not met: cosigned by {names}")
        return Accepted(checkpoint, logs[0][0], witnessed)

    def met_by(self, witnessed: Collection[str]) -> bool:
        """Whether the quorum holds when just these witnesses have cosigned."""
        held = set(witnessed) & set(self.witnesses)
        for name, group in self.groups.items():  # in order of definition: members come first
            if sum(member in held for member in group.members) >= group.threshold:
                held.add(name)
        return self.quorum == NO_QUORUM or self.quorum in held


class _Parser:
    def __init__(self) -> None:
        self.logs: list[VerifierKey] = []
        self.witnesses: dict[str, Witness] = {}
        self.groups: dict[str, Group] = {}
        self.grouped: set[str] = set()
        self.quorum: str | None = None

    def parse(self, text: str) -> Policy:
        if any((ord(c) < 0x20 and c not in "\t\n") or c == "\x7f" for c in text):
            raise PolicyError("a policy has no control characters but tabs and newlines")
        lines = text.split("\n")
        if lines[-1] or len(lines) > MAX_LINES:
            raise PolicyError(f"a policy ends with a newline and has less than {MAX_LINES} lines")
        for number, line in enumerate(lines, 1):
            words = [word for part in line.split(" ") for word in part.split("\t") if word]
            if not words or words[0].startswith("#"):
                continue
            try:
                self._line(words[0], words[1:])
            except (NoteError, EncodingError, PolicyError) as error:
                raise PolicyError(f"line {number} of the policy: {error}") from error
        if self.quorum is None:
            raise PolicyError("a policy has one quorum line")
        return Policy(tuple(self.logs), self.witnesses, self.groups, self.quorum)

    def _line(self, word: str, rest: list[str]) -> None:
        if word == "log" and len(rest) in (1, 2):
            self.logs.append(self._new_key(rest[0], NOTE))
        elif word == "witness" and len(rest) in (2, 3):
            key = self._new_key(rest[1], COSIGNATURE)
            self.witnesses[self._new_name(rest[0])] = Witness(key, *rest[2:])
        elif word == "group" and len(rest) >= 3:
            self.groups[self._new_name(rest[0])] = self._group(rest[1], rest[2:])
        elif word == "quorum" and len(rest) == 1 and self.quorum is None:
            if rest[0] != NO_QUORUM:
                self._known(rest[0])
            self.quorum = rest[0]
        else:
            raise PolicyError(f"not understood: {shown(' '.join([word, *rest]))}")

    def _new_key(self, text: str, kind: int) -> VerifierKey:
        key = VerifierKey.parse(text)
        if key.kind != kind:
            raise PolicyError(f"a key of kind {key.kind:#04x} cannot be used here: {key}")
        others = [*self.logs, *(witness.key for witness in self.witnesses.values())]
        if any(key.public == other.public for other in others):
            raise PolicyError(f"the same key twice: {key}")
        return key

    def _new_name(self, name: str) -> str:
        if name == NO_QUORUM or name in self.witnesses or name in self.groups:
            raise PolicyError(f"the name is taken: {shown(name)}")
        return name

    def _known(self, name: str) -> str:
        if name not in self.witnesses and name not in self.groups:
            raise PolicyError(f"not defined on a line before: {shown(name)}")
        return name

    def _group(self, threshold: str, names: list[str]) -> Group:
        for name in names:
            if self._known(name) in self.grouped:
                raise PolicyError(f"already a member of a group: {shown(name)}")
            self.grouped.add(name)
        counts = {"any": 1, "all": len(names)}
        count = counts[threshold] if threshold in counts else from_decimal(threshold)
        if not 1 <= count <= len(names):
            raise PolicyError(f"a group of {len(names)} cannot need {count}")
        return Group(count, tuple(names))
