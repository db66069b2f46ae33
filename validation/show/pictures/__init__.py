"""Pictures as functions from results to `fem_constriction.pictures.picture.Picture`: one file for each kind."""
