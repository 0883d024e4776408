"""What each analysis must say, from the plain list of events: slow, obvious, and sharing no code with the SQL."""
