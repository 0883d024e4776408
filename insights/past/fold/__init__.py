"""What the records of the topics come to: pure, so that the same records make the same past, however they are cut and however often they are read."""
