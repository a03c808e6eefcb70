"""Where accounts, sessions, proofs and mail on its way are kept."""
