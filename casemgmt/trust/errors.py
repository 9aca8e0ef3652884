"""One family of errors.  Each says what was found, in words a person can act on."""


class TrustError(Exception):
    """Something that should be provable is not.  Parsers here raise nothing else for bad input."""


class EncodingError(TrustError):
    """Base64, hexadecimal, a number or text that is not written in its one allowed form."""


class TreeError(TrustError):
    """A leaf, size or proof that the tree cannot have."""


class NoteError(TrustError):
    """A signed note or a key that is malformed."""


class SignatureInvalidError(NoteError):
    """A signature by a known key that does not fit the text."""


class CheckpointError(TrustError):
    """A checkpoint body that is malformed."""


class ProofError(TrustError):
    """A proof that is malformed or does not prove its claim."""


class PolicyError(TrustError):
    """A trust policy that is malformed, or a checkpoint it does not accept."""


class ManifestError(TrustError):
    """A BagIt file that is malformed or disagrees with the bag."""


class ArchiveError(TrustError):
    """A ZIP archive that is not laid out as agreed."""


class EventError(TrustError):
    """A ledger event that is malformed, or out of its chain."""


class BatchError(TrustError):
    """An object of archived ledger entries that is malformed."""


class PackageError(TrustError):
    """A package that cannot be built from, or does not agree with, its parts."""


class PasskeyError(TrustError):
    """A person's signature, its key or its enrolment that is malformed or does not prove its claim."""


class AgreementError(TrustError):
    """A record agreed between two phones that is malformed, joins no other half, or is not what an entry says."""


class WitnessError(TrustError):
    """A request to a witness, or its answer, that is malformed."""
