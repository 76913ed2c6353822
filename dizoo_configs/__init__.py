"""
Ready-made configs: smac_<map>_<policy>_config.py, each with main_config and create_config. Run one with python, or with
``ding -m serial -c FILE`` (MAPPO: ``ding -m serial_onpolicy -c FILE``).

This package's policy: ``qmix`` on its own batched collector, buffer and evaluator, ``qmix_ding_pipeline`` on
DI-engine's.
DI-engine's policies on this package's env: ``diengine_qmix``, ``wqmix``, ``qtran``, ``collaq``, ``coma``, ``madqn``,
``mappo``, ``masac``. Hyper-parameters are those DI-engine publishes for the map, with the reason where one differs; all
run their whole budget. For another map: ``ding_qmix.ding_compat.config.move_to_map``.
"""
