"""Roles, what they allow and deny, who may change them, and what follows for a person."""
