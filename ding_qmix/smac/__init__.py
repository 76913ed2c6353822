"""SMAC's rule book over a table of units: what agents see, may do and are paid for. One copy for every battlefield."""
