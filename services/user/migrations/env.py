"""Alembic's entry point: runs the migrations on the connection it is given."""

from alembic import context

context.run_migrations()
