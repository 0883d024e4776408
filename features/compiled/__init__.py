"""Compiled helpers that know nothing of churn.

They keep byte strings in one buffer, weave rows into one buffer, take checksums, and fetch memory ahead: arrays in, arrays out.
"""
