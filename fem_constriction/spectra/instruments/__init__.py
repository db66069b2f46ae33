"""Files of instruments -> Hz and ohm: one module for each format, recognised by what is in the file."""
