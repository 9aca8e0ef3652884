"""Letting others in: grants of a seizure or a case with a purpose and an end, and referrals to a prosecutor."""
