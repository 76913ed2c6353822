"""Small helpers: the confidence interval of a win rate, nearest names."""
import pytest

from ding_qmix.utils.keys import nearest_hint
from ding_qmix.utils.statistics import wilson_interval


@pytest.mark.unittest
@pytest.mark.parametrize(
    'n_won, n_episode, low, high',
    [
        (16, 32, 0.336, 0.664),
        (32, 32, 0.893, 1.),
        (0, 32, 0., 0.107),
        (81, 263, 0.255, 0.366),  # Newcombe 1998, table I, method 3
        (15, 148, 0.062, 0.160),
        (1, 29, 0.006, 0.172),
    ]
)
def test_interval_is_wilsons(n_won, n_episode, low, high):
    assert wilson_interval(n_won, n_episode) == pytest.approx((low, high), abs=6e-4)


@pytest.mark.unittest
@pytest.mark.parametrize('n_won', [0, 1, 7, 10])
def test_interval_holds_the_rate_and_stays_in_0_1(n_won):
    low, high = wilson_interval(n_won, 10)
    assert 0. <= low <= n_won / 10 <= high <= 1. and low < high


@pytest.mark.unittest
def test_interval_narrows_with_episodes():
    widths = [high - low for low, high in (wilson_interval(n // 2, n) for n in (8, 32, 320))]
    assert widths == sorted(widths, reverse=True)


@pytest.mark.unittest
@pytest.mark.parametrize(
    'name, hint', [
        ('batchsize', "did you mean 'batch_size'? known: batch_size, lr"),
        ('xyz', 'known: batch_size, lr'),
    ]
)
def test_hint_names_the_nearest_and_the_known(name, hint):
    assert nearest_hint(name, ['batch_size', 'lr']) == hint
