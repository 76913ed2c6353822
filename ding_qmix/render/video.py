"""Writes pictures to a file that plays: GIF with pillow alone, MP4 with imageio and its ffmpeg."""
import importlib.util
import os
from collections.abc import Iterable
from typing import Any

import numpy as np

from ding_qmix.render.style import INK, PALETTE_BASE, PATHABLE, blend

VIDEO_FORMATS = ('gif', 'mp4')
_HINT = "pip install 'ding-qmix[render]'"


def write_video(path: str, pictures: Iterable[np.ndarray], fps: float) -> int:
    """
    Overview:
        Write pictures to a file, whose ending decides its format: '.gif' or '.mp4'. Folders are made as needed.
    Arguments:
        - pictures: uint8 [height, width, 3] each, all of one size; both lengths even for MP4
        - fps: pictures per second; GIF rounds their duration to 1/100 s
    Returns:
        - n_pictures: how many were written
    Raises:
        - ValueError: another ending, fps <= 0, or no picture
        - ImportError: what the format needs is not installed
    """
    kind = os.path.splitext(path)[1].lower().lstrip('.')
    if kind not in VIDEO_FORMATS:
        raise ValueError(f'write_video: {path!r} ends in none of {", ".join("." + f for f in VIDEO_FORMATS)}')
    if fps <= 0.:
        raise ValueError(f'write_video: fps={fps}, expected more than 0')
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    n_pictures = _write_gif(path, pictures, fps) if kind == 'gif' else _write_mp4(path, pictures, fps)
    if n_pictures == 0:
        raise ValueError(f'write_video: no picture to write to {path!r}')
    return n_pictures


def default_format() -> str:
    """Return 'mp4' where imageio and its ffmpeg are installed, else 'gif'."""
    installed = all(importlib.util.find_spec(name) is not None for name in ('imageio', 'imageio_ffmpeg'))
    return 'mp4' if installed else 'gif'


def _write_gif(path: str, pictures: Iterable[np.ndarray], fps: float) -> int:
    """Write with one palette of our own colours and their mixtures, so that nothing flickers."""
    try:
        from PIL import Image
    except ImportError as e:
        raise ImportError(f'writing GIF needs pillow: {_HINT}') from e
    palette = Image.new('P', (1, 1))
    palette.putpalette(_palette())
    frames = [Image.fromarray(p).quantize(palette=palette, dither=Image.Dither.NONE) for p in pictures]
    if frames:
        duration = max(20, round(100 / fps) * 10)  # [ms]
        frames[0].save(path, save_all=True, append_images=frames[1:], duration=duration, loop=0, optimize=True)
    return len(frames)


def _write_mp4(path: str, pictures: Iterable[np.ndarray], fps: float) -> int:
    """Encode with H.264, as browsers play it."""
    try:
        import imageio.v2 as imageio
        import imageio_ffmpeg  # noqa: F401
    except ImportError as e:
        raise ImportError(f'writing MP4 needs imageio with ffmpeg: {_HINT}; or choose a .gif') from e
    n_pictures = 0
    writer: Any = imageio.get_writer(path, format='FFMPEG', fps=fps, codec='libx264', quality=7, macro_block_size=2)
    with writer:
        for picture in pictures:
            writer.append_data(picture)
            n_pictures += 1
    return n_pictures


def _palette() -> list:
    """Return up to 256 colours as flat bytes: ours, mixed with that of the map and with the ink of letters."""
    colors = list(PALETTE_BASE)
    for share in (.8, .6, .4, .22, .16, .1):
        colors += [blend(color, PATHABLE, share) for color in PALETTE_BASE]
    for share in (.75, .5):
        colors += [blend(color, INK, share) for color in PALETTE_BASE]
    for share in (.8, .5):
        colors += [blend(color, PALETTE_BASE[0], share) for color in PALETTE_BASE]
    unique = list(dict.fromkeys(colors))[:256]
    return [value for color in unique for value in color]
