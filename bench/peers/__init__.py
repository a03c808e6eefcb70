"""Creavio beside servers that do the same: the CPU of a message that is kept and delivered."""
