"""What we know of a user: events, their rules, the state they leave, and where it is kept.

Rooms: `definitions` (what churned means), `events` (what is accepted), `users` (state and features), `store` (Redis), `compiled` (helpers).
`reader.UserReader` is the door for everybody outside. Pure but for the store.
"""
