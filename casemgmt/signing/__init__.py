"""The organisation's signature (CAdES, PAdES) and timestamps of others (RFC 3161).

Pure of everything of ours but the settings: bytes come in, signatures and timestamps come out, and every one of them
verifies with openssl, pdfsig or pyhanko alone. What each proves is said in ``docs/design/signatures.md``.
"""
