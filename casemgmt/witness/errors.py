"""What stops a witness, in words for whoever runs it."""


class StateError(Exception):
    """The key or the state on disk is missing, damaged or in use: the witness must not cosign from it."""


class NotKeptError(Exception):
    """A new state could not be written: nothing was cosigned, and the state is what it was."""
