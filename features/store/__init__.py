"""Where a shard's state is kept, and who may write it.

A commit is one atomic act; a stale owner is refused.
"""
