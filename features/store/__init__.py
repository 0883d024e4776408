"""Where the state of a shard is kept, and who may write it.

A commit is applied as a whole or not at all, and only by the present owner of the shard.
"""
