"""Labels for exhibits: a number a person reads, and a code a phone reads, at the exact size of the printer's stock."""
