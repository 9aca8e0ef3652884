"""A witness: a small program with its own key that cosigns a log's checkpoints when the log only grew.

An agency runs it on a machine of its own. It imports nothing of casemgmt but ``trust``, and needs no database.
"""
