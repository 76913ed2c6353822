import os
import threading

import numpy as np
import pytest

from ding_qmix.sim import SimVecEnv
from ding_qmix.sim.entry import bind
from ding_qmix.sim.step import find_illegal
from ding_qmix.sim.thread_pool import ThreadPool


@pytest.mark.unittest
@pytest.mark.parametrize('n_threads, n', [(1, 5), (2, 5), (3, 64), (8, 3)])
def test_shares_cover_all_once_on_threads_of_their_own(n_threads, n):
    pool, seen, lock = ThreadPool(n_threads, n), [], threading.Lock()

    def work(first, last):
        with lock:
            seen.extend(range(first, last))

    pool.run(work)
    assert sorted(seen) == list(range(n))
    pool.close()


@pytest.mark.unittest
def test_one_share_runs_on_the_calling_thread():
    seen = []
    ThreadPool(1, 4).run(lambda first, last: seen.append((first, last, threading.current_thread())))
    assert seen == [(0, 4, threading.current_thread())]


@pytest.mark.unittest
def test_error_in_a_share_is_raised():

    def work(first, last):
        if first > 0:
            raise ZeroDivisionError('share')

    pool = ThreadPool(2, 4)
    with pytest.raises(ZeroDivisionError, match='share'):
        pool.run(work)
    pool.close()


@pytest.mark.unittest
def test_env_plays_on_after_close():
    env = SimVecEnv('3m', 4, n_threads=2)
    env.reset()
    env.close()
    env.close()
    env.step(np.ones((4, 3), dtype=np.int64))
    env.close()


@pytest.mark.unittest
@pytest.mark.skipif(not hasattr(os, 'fork'), reason='no fork on this system')
def test_env_with_threads_plays_on_in_a_forked_process():
    env = SimVecEnv('3m', 4, n_threads=2)
    env.reset()
    pid = os.fork()
    if pid == 0:
        try:
            env.step(np.ones((4, 3), dtype=np.int64))
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(pid, 0)[1] == 0
    env.close()


@pytest.mark.unittest
def test_bound_function_does_what_the_function_does():
    active, actions, mask = np.ones(2, bool), np.zeros((2, 3), np.int64), np.ones((2, 3, 7), bool)
    bound = bind(find_illegal, (active, actions, mask))
    assert bound(active, actions, mask) == find_illegal(active, actions, mask) == -1
    mask[1, 1, 0] = False
    assert bound(active, actions, mask) == find_illegal(active, actions, mask) == 4
