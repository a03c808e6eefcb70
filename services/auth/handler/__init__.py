"""The servicers: one module for each service of the contract that people call."""
