"""Run as a program: three threads store random files in a folder until killed, telling each acknowledgement.

A line is ``key sha256``, written only after ``commit`` returned, with one ``write`` so that none is half a line.
"""

import hashlib
import os
import random
import sys
import threading
import uuid
import zlib
from pathlib import Path

from casemgmt.storage.local import LocalStore


def store_files(store: LocalStore) -> None:
    choose = random.Random()
    while True:
        data = os.urandom(choose.choice([1, 5000, 300_000, 3 << 20]))
        key, digest = str(uuid.uuid4()), hashlib.sha256(data).hexdigest()
        sink = store.create(key, choose.choice([None, len(data)]))
        for start in range(0, len(data), 1 << 18):
            sink.write([data[start : start + (1 << 18)]])
        sink.commit(digest, zlib.crc32(data), len(data))
        os.write(1, f"{key} {digest}\n".encode())


if __name__ == "__main__":
    place = LocalStore(Path(sys.argv[1]))
    place.prepare()
    for _ in range(3):
        threading.Thread(target=store_files, args=(place,)).start()
