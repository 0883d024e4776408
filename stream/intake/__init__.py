"""Kafka to columns, and files to Kafka."""
