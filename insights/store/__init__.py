"""The page's own database: people, tokens, sessions, the audit log, and the tables of `insights.past`; SQLite by default, PostgreSQL by address."""
