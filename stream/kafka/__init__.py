"""How we speak to Kafka.

Topics, the shard's transactional line, scans, and short-lived clients of commands.
"""
