"""What follows from a batch of records.

Pure: a generator asks for what it must read, and returns a step with all its outputs in order of position.
"""
