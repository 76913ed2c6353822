import csv
import os
from typing import Any


class ResultFile:
    """
    Overview:
        A table of results on disk, one row appended at a time, so that a run that is cut short keeps what it has.
    Interfaces:
        ``append``
    """

    def __init__(self, path: str) -> None:
        """
        Arguments:
            - path: of the CSV file; folders are made, a file that is there is continued
        """
        self._path = path

    def append(self, row: dict[str, Any]) -> None:
        """Add a row; the first one of a file names the columns."""
        os.makedirs(os.path.dirname(self._path) or '.', exist_ok=True)
        is_new = not os.path.exists(self._path)
        with open(self._path, 'a', newline='', encoding='utf-8') as file:
            writer = csv.DictWriter(file, list(row), lineterminator='\n')
            if is_new:
                writer.writeheader()
            writer.writerow(row)
