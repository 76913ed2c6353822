"""Files that are whole or not there, whenever the process or the machine stops."""
import os
import zlib
from typing import Any, NamedTuple, Union

import torch

TEMPORARY = '.tmp'  # ends the name of a file that is being written
_CHUNK = 2 ** 22  # [bytes] read at a time


class FileMark(NamedTuple):
    """By which a file is known to be whole."""
    size: int  # [bytes]
    crc: int  # CRC-32


def write_whole(path: str, content: Union[bytes, dict[str, Any]]) -> None:
    """
    Overview:
        Write a file beside its place, down to the disk, and put it there in one step.
    Arguments:
        - path: of the file; folders are made
        - content: bytes as they are, or a dict for ``torch.save``
    """
    folder = os.path.dirname(path) or '.'
    os.makedirs(folder, exist_ok=True)
    temporary = path + TEMPORARY
    with open(temporary, 'wb') as file:
        if isinstance(content, bytes):
            file.write(content)
        else:
            torch.save(content, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    _sync_folder(folder)


def mark_of(path: str) -> FileMark:
    """Return size and checksum of a file."""
    size = crc = 0
    with open(path, 'rb') as file:
        while chunk := file.read(_CHUNK):
            size, crc = size + len(chunk), zlib.crc32(chunk, crc)
    return FileMark(size, crc)


def _sync_folder(folder: str) -> None:
    """Write a folder's names to the disk, where folders can be opened."""
    if hasattr(os, 'O_DIRECTORY'):
        number = os.open(folder, os.O_DIRECTORY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
