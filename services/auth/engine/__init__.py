"""Passwords, tokens, mail, and the account that comes with a profile."""
