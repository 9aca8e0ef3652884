"""What can go wrong when one machine carries everything, in words for the person at the terminal."""


class EmbeddedError(Exception):
    """The embedded instance cannot start or go on; the message says what to do."""
