"""Where chat keeps what it knows. Methods are named for questions, and return domain values."""
