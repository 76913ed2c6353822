"""The command that renders an episode: a scripted policy's and a trained one's."""
from pathlib import Path

import pytest


@pytest.mark.unittest
def test_render_writes_a_scripted_battle(load, tmp_path: Path, capsys) -> None:
    image = pytest.importorskip('PIL.Image', reason='pillow is not installed')
    out = tmp_path / 'battle.gif'
    load('render').main(['--map', '3m', '--policy', 'focus', '--seed', '2', '--scale', '6', '--out', str(out)])
    with image.open(out) as video:
        assert f'{video.n_frames} pictures' in capsys.readouterr().out


@pytest.mark.unittest
def test_render_writes_a_trained_policys_battle(load, tmp_path: Path, repo: Path) -> None:
    image = pytest.importorskip('PIL.Image', reason='pillow is not installed')
    import torch
    from ding.config import compile_config, read_config
    from ding.policy import create_policy
    config = str(repo / 'dizoo_configs' / 'smac_MMM_qmix_config.py')
    main_config, create_config = read_config(config)
    cfg = compile_config(main_config, auto=True, create_cfg=create_config, save_cfg=False)
    policy = create_policy(cfg.policy, enable_field=['eval'])
    torch.save(policy.eval_mode.state_dict(), tmp_path / 'ckpt.pth.tar')
    out = tmp_path / 'battle.gif'
    args = ['--config', config, '--load-path', str(tmp_path / 'ckpt.pth.tar'), '--scale', '6', '--out', str(out)]
    load('render').main(args)
    with image.open(out) as video:
        assert video.n_frames > 1 and video.width > 400  # Q-values stand beside the map


@pytest.mark.unittest
def test_render_needs_config_and_checkpoint_together(load, capsys) -> None:
    with pytest.raises(SystemExit):
        load('render').main(['--config', 'a.py'])
    assert '--config and --load-path go together' in capsys.readouterr().err
