"""The servicers: message in, message out."""
