"""Do the pages say what works? Each command block of README and docs is run, as it stands, in one shell a page."""
