import csv
import io
import os
from typing import Any


class ResultFile:
    """
    Overview:
        A table of results on disk, one row appended at a time, so that a run that is cut short keeps what it has. Of a
        row that was cut short itself nothing is left when the file is used again.
    Interfaces:
        ``append``, ``drop_beyond``
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
        text = io.StringIO()
        writer = csv.DictWriter(text, list(row), lineterminator='\n')
        if not self._lines():
            writer.writeheader()
        writer.writerow(row)
        with open(self._path, 'ab') as file:
            file.truncate(sum(map(len, self._lines())))
            file.write(text.getvalue().encode())
            file.flush()
            os.fsync(file.fileno())

    def drop_beyond(self, column: str, value: float) -> None:
        """Drop the rows from the first one on that has more than ``value`` in a column."""
        lines = self._lines()
        rows = csv.DictReader(line.decode() for line in lines)
        kept = 1 + next((i for i, row in enumerate(rows) if float(row[column]) > value), len(lines))
        if lines:
            os.truncate(self._path, sum(map(len, lines[:kept])))

    def _lines(self) -> list[bytes]:
        """The lines that are whole; they end at a line feed."""
        if not os.path.exists(self._path):
            return []
        with open(self._path, 'rb') as file:
            return [line for line in file if line.endswith(b'\n')]
