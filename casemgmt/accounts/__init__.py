"""Agencies, units, people, their dated appointments; sign-in and sessions."""
