"""Hand-overs: an exhibit changes hands only when both sides have said so."""
