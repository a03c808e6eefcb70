"""Load generators and references: what the platform costs, beside what it is compared with."""
