"""Code lists, numbers with a check digit, identifier checks and the folding that search compares by.

Pure: nothing here reads the clock, the database or the network. The only files read are the package's own data,
on first use.
"""
