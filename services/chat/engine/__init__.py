"""The long-lived machinery: where channels belong, and the writer of all messages."""
