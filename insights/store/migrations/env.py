"""Alembic runs this file: it takes the connection, and with it the transaction, of `insights.store.schema.migrate`."""

from __future__ import annotations

from alembic import context

context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations()
