import math


def wilson_interval(n_won: int, n_episode: int, z: float = 1.96) -> tuple[float, float]:
    """
    Overview:
        Confidence interval of a win rate (Wilson's score interval), sound also near 0 and 1 and for few episodes.
    Arguments:
        - n_won, n_episode: counts, n_episode >= 1
        - z: quantile of the normal distribution; 1.96 for 95 %
    Returns:
        - low, high: in [0, 1]
    Source: Wilson 1927, J. Am. Stat. Assoc. 22
    """
    rate, z2 = n_won / n_episode, z * z
    centre = (rate + z2 / (2 * n_episode)) / (1 + z2 / n_episode)
    half_width = z / (1 + z2 / n_episode) * math.sqrt(rate * (1 - rate) / n_episode + z2 / (4 * n_episode ** 2))
    return max(0., centre - half_width), min(1., centre + half_width)
