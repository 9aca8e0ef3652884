"""Evidence packages: sealed once, downloaded with a reason, verified by anyone without us."""
