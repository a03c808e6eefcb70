"""What the contracts of community promise, one file per service of them."""
