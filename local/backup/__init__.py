"""`creavio backup` and `creavio restore`: one instance in one file, and back."""
