"""The promises of the platform, kept."""
