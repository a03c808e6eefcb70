"""The one-machine run: everything the platform needs, under one supervisor."""
