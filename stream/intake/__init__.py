"""How clicks get in.

Record batches from Kafka become columns, and each is fetched under the take that owns its shard. Files are sent to the same topic.
"""
