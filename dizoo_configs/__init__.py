"""
Ready-made configs: smac_<map>_<policy>_config.py, each with main_config and create_config. <map> is SMAC's name without
'_vs_', as DI-engine writes it: 5m6m is 5m_vs_6m; 3s_vs_5z alone keeps its vs, for 3s5z is another map. Run one with
python, or with ``ding -m serial -c FILE`` (MAPPO: ``ding -m serial_onpolicy -c FILE``).

This package's policy: ``qmix``, for all maps, and ``vdn``, on its own batched collector, buffer and evaluator, with one
set of hyper-parameters (``ding_qmix.hyper_parameters``); ``qmix_pymarl`` with PyMARL's settings; ``qmix_blind``, whose
agents see time and id alone; ``qmix_ding_pipeline`` on DI-engine's collector, buffer and evaluator.
DI-engine's policies on this package's env: ``diengine_qmix``, ``wqmix``, ``qtran``, ``collaq``, ``coma``, ``madqn``,
``mappo``, ``masac``. Hyper-parameters are those DI-engine publishes for the map, with the reason where one differs; all
run their whole budget. For another map: ``ding_qmix.ding_compat.config.move_to_map``.
"""
