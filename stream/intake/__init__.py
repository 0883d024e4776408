"""How clicks get in.

Kafka's record batches become columns, each fetched under the take of its shard; files are sent to the same topic.
"""
