"""From a measured spectrum to the cell: values of a cell's keys, fitted with the three-dimensional model."""
