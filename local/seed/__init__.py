"""`creavio seed`: a demo community, so that a newcomer sees a living place."""
