"""Casbin, which decides, and the policies it decides by."""
