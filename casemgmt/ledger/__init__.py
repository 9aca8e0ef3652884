"""The ledger: the order of its tree, signed checkpoints, proofs for single events, and the recomputation."""
