"""What follows from a batch of records.

Pure: a generator asks for reads and returns a step with all its outputs, in order of position.
"""
