"""`creavio doctor`: what is wrong with this instance or its machine, and the mend."""
