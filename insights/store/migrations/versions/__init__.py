"""The steps, one file each, in the order of their numbers; each says the tables as they were then, not as they are now."""
