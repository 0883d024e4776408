"""What comes back from outside.

Labels that customers report are checked here and copied to the topic the trainer learns from.
"""
