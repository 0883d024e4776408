"""Everything that moves: transport, shard, engine, outbox, worker, command line."""
