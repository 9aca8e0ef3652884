"""Seizures: one act of taking things, with its people, conveyances, place and ground."""
