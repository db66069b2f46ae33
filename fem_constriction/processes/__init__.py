"""y_p(s): what materials and frequency make of each process, and the one-dimensional circuits."""
