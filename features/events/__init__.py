"""One event: what is accepted, by which rules anything else is rejected, and batches of payloads as columns."""
