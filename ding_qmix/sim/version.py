"""Version of the simulator's results."""

SIM_VERSION = '0.6.0'  # rises whenever the same seed may give another battle; stands in every result
