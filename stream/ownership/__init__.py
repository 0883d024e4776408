"""Who owns a shard.

An owner takes it, steps it, commits, publishes and lets it go; the models that score come in from the registry here.
"""
