"""One box for numbers, names, containers, plates and words, over what the reader may see."""
