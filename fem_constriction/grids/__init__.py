"""The grids that both backends share: lines, faces, families."""
