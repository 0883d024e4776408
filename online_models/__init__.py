"""Everything that learns: examples, models, calibration, registry. All of it is pure, except the registry in Redis."""
