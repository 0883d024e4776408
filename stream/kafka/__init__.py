"""How Kafka is reached: the topics, the clients, a shard's fenced line, and whose a record is."""
