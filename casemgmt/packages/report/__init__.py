"""The custody report: what a prosecutor lays on the table. A PDF/A-3b made from plain data, in three languages."""
