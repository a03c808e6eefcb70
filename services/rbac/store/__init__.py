"""Where roles, bindings, overrides and the revision are kept."""
