"""Replay a file of events through the live shard and trainer, without a server, and report what the scores were worth."""
