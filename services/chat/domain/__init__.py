"""What can be written where, and what becomes of it: rules, and nothing of how they are kept."""
