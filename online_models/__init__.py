"""Everything that learns: examples, models, calibration, registry. Pure but for the Redis registry."""
