"""Who may call whom, how long, and what is tried again: from catalog and contracts."""
