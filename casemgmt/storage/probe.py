"""Does the deployed store keep what it promises? Found out by trying to break it, on throw-away objects.

Some S3 servers accept a lock and then delete. A feature list cannot tell; an attempt can.
"""

from casemgmt.storage.contract import Store
from casemgmt.storage.local import LocalStore
from casemgmt.storage.probe_local import probe_folder
from casemgmt.storage.probe_report import Report
from casemgmt.storage.probe_s3 import S3Probe
from casemgmt.storage.s3 import S3Store


def probe(store: Store) -> Report:
    """Try to overwrite, delete, shorten and unlock, and tell what came of it. Blocks for some seconds (a short
    retention has to run out). Raises StoreError when the store cannot be used at all: then nothing was shown.

    On S3 a locked probe object of a few bytes stays for two minutes; the next probe removes it.
    """
    if isinstance(store, LocalStore):
        return probe_folder(store)
    if isinstance(store, S3Store):
        return S3Probe(store).run()
    raise TypeError(f"no probe for {type(store).__name__}")
