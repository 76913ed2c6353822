"""The sides of ``pipeline.py``: each measures its own updates, collection, and both together."""
import glob
import os
import time
from typing import Any, Callable

import pipeline_parts as parts
from pipeline_parts import Pipeline, SideSpec, ding_configs, our_configs


class CollectSide:
    """
    Overview:
        A pipeline under way.
    Interfaces:
        ``collect``, ``round``, ``memory``, ``close``
    """

    def __init__(self, spec: SideSpec) -> None:
        """``spec.kind`` is 'ding' or 'ours'."""
        self._pipeline = Pipeline((ding_configs if spec.kind == 'ding' else our_configs)(spec), 'pipeline')
        self._n_stored = 0
        self._rss: list[tuple[int, float]] = []  # samples stored so far, resident memory [MiB]

    def collect(self) -> dict[str, float]:
        """Collect once, and forget what was collected."""
        samples, result = self._play()
        return dict(result, samples=len(samples), env_steps_per_s=result['env_steps'] / result['collect_s'])

    def round(self) -> dict[str, float]:
        """Collect, store, train."""
        samples, result = self._play()
        start = time.perf_counter()
        self._pipeline.store(samples)
        stored = time.perf_counter()
        self._pipeline.train()
        learn_s = time.perf_counter() - stored
        self._n_stored += len(samples)
        self._rss.append((self._n_stored, _status_mib('self', 'VmRSS')))
        seconds = result['collect_s'] + stored - start + learn_s
        result.update(store_s=stored - start, learn_s=learn_s, seconds=seconds)
        return dict(result, samples=len(samples), env_steps_per_s=result['env_steps'] / seconds)

    def memory(self) -> dict[str, float]:
        """Return memory of this process and its env processes, [MiB]."""
        children = [_private_mib(pid) for pid in _children(os.getpid())]
        (first, before), (last, after) = self._rss[(len(self._rss) - 1) // 2], self._rss[-1]
        growth = (after - before) / (last - first) if last > first else 0.
        peak = _status_mib('self', 'VmHWM') + sum(children)
        capacity = self._pipeline.cfg.policy.other.replay_buffer.replay_buffer_size
        return {
            'peak_mib': peak,
            'env_processes': len(children),
            'env_processes_private_mib': sum(children),
            'samples_stored': last,
            'growth_kib_per_sample': 1024 * growth,
            'full_buffer_mib': peak + growth * (capacity - last),
        }

    def close(self) -> None:
        """Close the pipeline."""
        self._pipeline.close()

    def _play(self) -> tuple[list[dict[str, Any]], dict[str, float]]:
        collector, start = self._pipeline.collector, time.perf_counter()
        before = collector.envstep
        samples = self._pipeline.play()
        seconds = time.perf_counter() - start
        n_steps = collector.envstep - before
        n_episode = self._pipeline.cfg.policy.collect.n_episode
        return samples, {'env_steps': n_steps, 'collect_s': seconds, 'episode_len': n_steps / n_episode}


class UpdateSide:
    """
    Overview:
        Updates at full length, on batches of real samples.
    Interfaces:
        ``update``, ``close``
    """

    def __init__(self, spec: SideSpec) -> None:
        """Samples are of the free env: collected by DI-engine's collector, or of the same shapes."""
        self._pipelines: list[Pipeline] = []
        self._cases: dict[int, tuple[Callable[[], Any], Callable[[], Any]]] = {}
        for n_steps in (parts.CHUNK_LEN, parts.EPISODE_LEN):
            self._cases[n_steps] = self._case(spec, n_steps)

    def update(self, n_steps: int, seconds: float) -> dict[str, float]:
        """Return how long an update takes from a ready batch, and with sampling from the buffer, [s]."""
        ready, sampled = self._cases[n_steps]
        return {'ready_s': _time_call(ready, seconds), 'sampled_s': _time_call(sampled, seconds)}

    def close(self) -> None:
        """Close the pipelines."""
        for pipeline in self._pipelines:
            pipeline.close()

    def _case(self, spec: SideSpec, n_steps: int) -> tuple[Callable[[], Any], Callable[[], Any]]:
        """Return an update on a ready batch, and one on a freshly sampled batch."""
        if spec.kind == 'ding':
            configs = ding_configs(spec._replace(env='free', n_episode=parts.N_STORED), unroll_len=n_steps)
        else:
            configs = our_configs(spec, unroll_len=n_steps if n_steps < parts.EPISODE_LEN else 0)
        pipeline = Pipeline(configs, f'update{n_steps}')
        self._pipelines.append(pipeline)
        model = pipeline.cfg.policy.model
        pipeline.store(pipeline.play() if spec.kind == 'ding' else _random_samples(model, n_steps))
        forward = pipeline.policy.learn_mode.forward
        if spec.kind == 'plain':
            from plain_update import PlainUpdate
            forward = PlainUpdate(model, pipeline.cfg.policy.learn).forward
        ready = pipeline.sample()
        return lambda: forward(ready), lambda: forward(pipeline.sample())


def _random_samples(model: Any, n_steps: int) -> list[dict[str, Any]]:
    """Random chunks of the shapes and length of the free env's, as this package's collector cuts them."""
    import torch
    n, o, s, a = (model[key] for key in ('agent_num', 'obs_shape', 'global_obs_shape', 'action_shape'))
    h, generator = model.hidden_size_list[-1], torch.Generator().manual_seed(0)
    samples = []
    for i in range(parts.N_STORED * parts.EPISODE_LEN // n_steps):
        sample = {
            'obs': 2. * torch.rand(n_steps + 1, n, o, generator=generator) - 1.,
            'state': 2. * torch.rand(n_steps + 1, s, generator=generator) - 1.,
            'action_mask': torch.ones(n_steps + 1, n, a, dtype=torch.bool),
            'action': torch.randint(a, (n_steps, n), generator=generator),
            'reward': torch.zeros(n_steps),
            'terminated': torch.zeros(n_steps),
            'truncated': torch.zeros(n_steps),
            'mask': torch.ones(n_steps),
        }
        sample['terminated'][-1] = float((i + 1) * n_steps % parts.EPISODE_LEN == 0)
        if n_steps < parts.EPISODE_LEN:
            sample['hidden_state'] = torch.rand(n, 1, h, generator=generator) - 0.5
        samples.append(sample)
    return samples


def _time_call(call: Callable[[], Any], seconds: float) -> float:
    """Return the mean time of a call, [s], over about so many seconds and at least two calls."""
    n_calls, start = 0, time.perf_counter()
    while n_calls < 2 or time.perf_counter() - start < seconds:
        call()
        n_calls += 1
    return (time.perf_counter() - start) / n_calls


def _status_mib(pid: Any, field: str) -> float:
    """Return a field of a process's status in /proc, [MiB]; 0 where there is no such file."""
    try:
        with open(f'/proc/{pid}/status', encoding='utf-8') as file:
            return sum(int(line.split()[1]) for line in file if line.startswith(field + ':')) / 1024
    except OSError:
        return 0.


def _private_mib(pid: int) -> float:
    """Return the memory that a process shares with no other, [MiB]."""
    with open(f'/proc/{pid}/smaps_rollup', encoding='utf-8') as file:
        return sum(int(line.split()[1]) for line in file if line.startswith('Private_')) / 1024


def _children(pid: int) -> list[int]:
    """Return the numbers of a process's children and of theirs."""
    found: list[int] = []
    for path in glob.glob(f'/proc/{pid}/task/*/children'):
        with open(path, encoding='utf-8') as file:
            found += map(int, file.read().split())
    return found + [grandchild for child in found for grandchild in _children(child)]


def make_side(spec: SideSpec, updates_only: bool) -> Any:
    """Return an ``UpdateSide``, or a ``CollectSide``."""
    return (UpdateSide if updates_only else CollectSide)(spec)
