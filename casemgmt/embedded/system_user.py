"""Running PostgreSQL when casemgmt itself runs as root, which PostgreSQL refuses to do.

It then runs as the system user the wheel also uses. That user must be able to pass through the
directories above the program and the data. A directory above them that shuts it out (root's home is 0700)
gets an access control entry for this one user, for passing through and nothing else.
"""

import errno
import os
import pwd
import stat
import struct
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from casemgmt.embedded.errors import EmbeddedError

USER_NAME = "pgserver"

_ACL = "system.posix_acl_access"
_ACL_VERSION = 2
_USER_OBJ, _USER, _GROUP_OBJ, _GROUP, _MASK, _OTHER = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
_NO_ID = 0xFFFFFFFF
_PASS = 0o1  # on a directory, "execute" means to pass through it


class SystemUserError(EmbeddedError):
    """There is no user PostgreSQL could run as."""


class UnreachableDirectoryError(EmbeddedError):
    """The system user that runs PostgreSQL cannot get to a directory, and could not be let through."""


@dataclass(frozen=True, slots=True)
class SystemUser:
    """The user PostgreSQL runs as. ``is_other`` says that it is not the one running casemgmt."""

    uid: int
    gid: int
    is_other: bool

    def own(self, path: Path) -> None:
        if self.is_other:
            os.chown(path, self.uid, self.gid)

    def let_pass_to(self, path: Path) -> None:
        """Make sure this user can reach ``path``, or raise UnreachableDirectoryError naming the obstacle."""
        if not self.is_other:
            return
        for directory in reversed(path.resolve().parents):
            if not _may_pass(directory, self):
                _let_pass(directory, self)

    def run(self, command: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
        """Run ``command`` as this user, from ``/`` and without extra groups; output is text, captured."""
        return subprocess.run(
            command,
            user=self.uid if self.is_other else None,
            group=self.gid if self.is_other else None,
            extra_groups=[] if self.is_other else None,
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )


def current() -> SystemUser:
    """The running user, or as root the system user ``pgserver``, created when the machine has none."""
    if os.geteuid() != 0:
        return SystemUser(os.geteuid(), os.getegid(), is_other=False)
    try:
        entry = pwd.getpwnam(USER_NAME)
    except KeyError:
        _create_user()
        entry = pwd.getpwnam(USER_NAME)
    return SystemUser(entry.pw_uid, entry.pw_gid, is_other=True)


def _create_user() -> None:
    command = ["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", USER_NAME]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        reason = error.stderr.strip() if isinstance(error, subprocess.CalledProcessError) else str(error)
        raise SystemUserError(
            f"PostgreSQL does not run as root, and its system user {USER_NAME} could not be made ({reason}). "
            f"Make it with your system's tools, or run casemgmt as an ordinary user."
        ) from error


def _may_pass(directory: Path, user: SystemUser) -> bool:
    facts = directory.stat()
    if facts.st_uid == user.uid:
        return bool(facts.st_mode & stat.S_IXUSR)
    entries = _read_acl(directory)
    if (granted := entries.get((_USER, user.uid))) is not None:
        return bool(granted & entries.get((_MASK, _NO_ID), 0o7) & _PASS)
    if facts.st_gid == user.gid:
        return bool(facts.st_mode & stat.S_IXGRP)
    return bool(facts.st_mode & stat.S_IXOTH)


def _let_pass(directory: Path, user: SystemUser) -> None:
    entries = _read_acl(directory)
    entries[_USER, user.uid] = _PASS
    # The mask bounds every named entry and the group; recompute it as setfacl does.
    entries[_MASK, _NO_ID] = 0
    for (tag, _), permission in entries.items():
        if tag in (_USER, _GROUP_OBJ, _GROUP):
            entries[_MASK, _NO_ID] |= permission
    packed = b"".join(struct.pack("<HHI", tag, bits, who) for (tag, who), bits in sorted(entries.items()))
    try:
        os.setxattr(directory, _ACL, struct.pack("<I", _ACL_VERSION) + packed)
    except OSError as error:
        raise UnreachableDirectoryError(
            f"PostgreSQL runs as the system user {USER_NAME}, which cannot pass through {directory}, "
            f"and it could not be let through ({error.strerror}). Choose a data directory elsewhere, "
            f"run casemgmt as an ordinary user, or run: chmod o+x {directory}"
        ) from error


def _read_acl(directory: Path) -> dict[tuple[int, int], int]:
    """Access control entries as ``{(tag, id): permission bits}``, made from the mode where there is no list."""
    try:
        raw = os.getxattr(directory, _ACL)
    except OSError as error:
        if error.errno not in (errno.ENODATA, errno.ENOTSUP):
            raise
        mode = directory.stat().st_mode
        return {
            (_USER_OBJ, _NO_ID): mode >> 6 & 0o7,
            (_GROUP_OBJ, _NO_ID): mode >> 3 & 0o7,
            (_OTHER, _NO_ID): mode & 0o7,
        }
    return {(tag, who): bits for tag, bits, who in struct.iter_unpack("<HHI", raw[4:])}
