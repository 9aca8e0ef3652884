"""The walls of the process that looks into a file. Only the standard library.

Limits of memory, processor time and open files, and (Linux on x86-64 and arm64) a filter that lets through nothing but
work on memory and on what is open already: no file is opened, no socket made, no program started, no process
signalled. Everything else is answered "not permitted", so that a library which asks for more goes on without it.

Known limit: where the kernel has no such filter, ``filter_calls`` says False and only the limits stand.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import signal
import struct
from dataclasses import dataclass
from typing import Any

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """For one file. ``memory`` in bytes of address space, ``cpu`` in seconds of processor time, ``wall`` in seconds."""

    memory: int = 768 * MIB
    cpu: int = 20
    wall: int = 30


def lower(limits: Limits) -> None:
    """Take the limits on for ever; children inherit them. Files cannot grow, so nothing can be written but pipes."""
    _set(resource.RLIMIT_AS, limits.memory)
    _set(resource.RLIMIT_CPU, limits.cpu, limits.cpu + 2)  # first a signal that says why, then the end
    _set(resource.RLIMIT_FSIZE, 0)
    _set(resource.RLIMIT_CORE, 0)
    _set(resource.RLIMIT_NOFILE, 16)


def end_after(seconds: int) -> None:
    """The process is ended then, whoever waits for it or not."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(seconds)


def _set(which: int, soft: int, hard: int | None = None) -> None:
    _, was = resource.getrlimit(which)
    hard = soft if hard is None else hard
    hard = hard if was == resource.RLIM_INFINITY else min(hard, was)
    resource.setrlimit(which, (min(soft, hard), hard))


# What stays allowed, by name: (number on x86-64, number on arm64). None: the call does not exist there.
ALLOWED: dict[str, tuple[int | None, int | None]] = {
    "read": (0, 63), "write": (1, 64), "close": (3, 57), "fstat": (5, 80), "poll": (7, None), "lseek": (8, 62),
    "mmap": (9, 222), "mprotect": (10, 226), "munmap": (11, 215), "brk": (12, 214), "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139), "readv": (19, 65), "writev": (20, 66),
    "sched_yield": (24, 124), "mremap": (25, 216), "madvise": (28, 233), "nanosleep": (35, 101), "getpid": (39, 172),
    "exit": (60, 93), "uname": (63, 160), "gettimeofday": (96, 169), "getrusage": (98, 165), "sysinfo": (99, 179),
    "sigaltstack": (131, 132), "gettid": (186, 178), "futex": (202, 98), "sched_getaffinity": (204, 123),
    "restart_syscall": (219, 128), "clock_gettime": (228, 113), "clock_getres": (229, 114),
    "clock_nanosleep": (230, 115), "exit_group": (231, 94), "ppoll": (271, 73), "set_robust_list": (273, 99),
    "getrandom": (318, 278), "membarrier": (324, 283), "rseq": (334, 293),
}  # fmt: skip
CLONE = (56, 220)  # threads, not processes
CLONE3 = (435, 435)  # its flags are out of a filter's sight: "no such call" makes libraries use clone
_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}

_LOAD, _EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06  # BPF: load word, jump if equal, jump if a bit is set, return
_NUMBER, _ARCH, _FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_EPERM, _ENOSYS, _CLONE_THREAD = 1, 38, 0x00010000
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 38, 22, 2


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


def filter_calls() -> bool:
    """Give up every system call that is not in the list, for ever. False where that cannot be done."""
    program = program_for(platform.machine())
    if program is None or os.name != "posix":
        return False
    code = ctypes.create_string_buffer(program, len(program))
    libc: Any = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    filter_ = _Program(len(program) // 8, ctypes.cast(code, ctypes.c_void_p))
    return bool(libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(filter_), 0, 0) == 0)


def program_for(machine: str) -> bytes | None:
    """The filter as the kernel takes it: instructions of code, jump if true, jump if false, operand."""
    if machine not in _MACHINES:
        return None
    column, arch = _MACHINES[machine]
    steps = [
        (_LOAD, 0, 0, _ARCH), (_EQUAL, 1, 0, arch), (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        (_EQUAL, 0, 1, CLONE3[column]), (_RETURN, 0, 0, _ERRNO | _ENOSYS),
    ]  # fmt: skip
    for numbers in ALLOWED.values():
        if (number := numbers[column]) is not None:
            steps += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ALLOW)]
    steps += [
        (_EQUAL, 0, 3, CLONE[column]), (_LOAD, 0, 0, _FIRST_ARGUMENT), (_ANY_BIT, 0, 1, _CLONE_THREAD),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _ERRNO | _EPERM),
    ]  # fmt: skip
    return b"".join(struct.pack("=HBBI", *step) for step in steps)
