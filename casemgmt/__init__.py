"""Evidence and seizure case management: unbroken custody, write-once files, packages anyone can verify."""
