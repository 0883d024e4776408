"""Compiled helpers that know nothing of churn.

Byte strings in one buffer, rows woven into one buffer, memory asked for ahead: arrays in, arrays out.
"""
