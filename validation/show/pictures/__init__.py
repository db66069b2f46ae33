"""Pictures as functions from results to `validation.show.picture.Picture`: one file for each kind."""
