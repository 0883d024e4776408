"""What we know of a user: events, the rules that accept them, the state they leave, and where it is kept.

Rooms: `definitions` (what churned means), `events` (what is accepted), `files` (events from files), `users` (state and features), `store` (Redis),
`compiled` (helpers). Programs outside this project read users by `reader.UserReader`. All of it is pure, except what reads files or Redis.
"""
