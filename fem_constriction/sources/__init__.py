"""Files that a cell reads: what is read is known, counted before it is read, and in the digest."""
