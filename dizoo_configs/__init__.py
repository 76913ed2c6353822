"""Ready-made configs: smac_<map>_<policy>_config.py, each with main_config and create_config."""
