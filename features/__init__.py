"""What we know of a user: events, state, features, timers and the store. Pure but for the store."""
