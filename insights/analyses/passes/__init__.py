"""What of each user's events in order is too long for SQL? Compiled passes over arrays sorted by user and time.

`timelines.py` makes the arrays from any query of an open log; each pass is pure: arrays in, arrays out.
"""
