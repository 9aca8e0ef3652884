"""The trust core: what anyone can check about the ledger and a package without trusting the system that made them.

Pure: no database, no HTTP, no clock, no files except the one the verifier is asked to read.  Imports
only the standard library and ``cryptography``, so the offline verifier stays small enough to audit.
"""
