"""A store from one line of configuration."""

from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from casemgmt.storage.contract import Store
from casemgmt.storage.local import LocalStore
from casemgmt.storage.s3 import LockMode, S3Store
from casemgmt.storage.s3_http import Account

LOCK_MODES: dict[str, LockMode] = {"governance": "GOVERNANCE", "compliance": "COMPLIANCE"}


def open_store(url: str, *, access: str = "", secret: str = "") -> Store:
    """The store at an address; nothing is contacted or created yet.

    ``file:///srv/evidence?immutable=1``
    ``s3://s3.example.org:443/bucket?region=us-east-1&mode=compliance&prefix=evidence/&ca=/etc/ca.pem``

    ``tls=0`` speaks plain HTTP: for a server on the same machine or inside one container network. Credentials come
    apart because addresses end up in logs. Raises ValueError in words for the person who wrote the line.
    """
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
    if parts.username or parts.password:
        raise ValueError("the store's address must not hold credentials: give them apart")
    if parts.scheme == "file":
        immutable = _flag(options, "immutable", default=False)
        _all_used(options)
        if parts.netloc or not parts.path.startswith("/"):
            raise ValueError(f"a folder is written file:///absolute/path, not {url}")
        return LocalStore(Path(unquote(parts.path)), immutable=immutable)
    if parts.scheme == "s3":
        return _s3(parts.netloc, parts.path.strip("/"), options, access, secret)
    raise ValueError(f"a store is file:///folder or s3://host:port/bucket, not {url}")


def _s3(host: str, bucket: str, options: dict[str, str], access: str, secret: str) -> S3Store:
    if not host or not bucket or "/" in bucket:
        raise ValueError("an S3 store is written s3://host:port/bucket")
    if not access or not secret:
        raise ValueError("an S3 store needs its access key and its secret key")
    scheme = "https" if _flag(options, "tls", default=True) else "http"
    account = Account(access, secret, options.pop("region", "us-east-1"))
    mode = LOCK_MODES.get(options.pop("mode", "governance"))
    prefix, ca_file = options.pop("prefix", ""), options.pop("ca", None)
    _all_used(options)
    if mode is None:
        raise ValueError("mode is governance or compliance")
    return S3Store(f"{scheme}://{host}", bucket, account, mode=mode, prefix=prefix, ca_file=ca_file)


def _flag(options: dict[str, str], name: str, *, default: bool) -> bool:
    value = options.pop(name, "1" if default else "0")
    if value not in ("0", "1"):
        raise ValueError(f"{name} is 0 or 1")
    return value == "1"


def _all_used(options: dict[str, str]) -> None:
    if options:
        raise ValueError(f"unknown option in the store's address: {', '.join(sorted(options))}")
