"""The demonstration's signer, shared with the tests of the signing room."""

from tests.signing.conftest import authorities, demo, signer

__all__ = ["authorities", "demo", "signer"]
