"""Z(f): spectra, and the files that hold them."""
