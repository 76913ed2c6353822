from typing import Optional


class RowAllocator:
    """
    Overview:
        Places runs of rows in a fixed storage: first fit from the lowest row, neighbours merged when freed. Samples of
        unequal length stay close to the start of the storage, so memory that is not needed is never touched.
    Interfaces:
        ``allocate``, ``free``, ``state_dict``, ``load_state_dict``
    Properties:
        ``n_used``
    """

    def __init__(self, n_rows: int) -> None:
        """
        Arguments:
            - n_rows: size of the storage
        """
        self._n_rows = n_rows
        self._gaps: list[tuple[int, int]] = [(0, n_rows)]  # (first row, length), by first row

    @property
    def n_used(self) -> int:
        """Rows up to the last one that is taken."""
        first, length = self._gaps[-1] if self._gaps else (self._n_rows, 0)
        return first if first + length == self._n_rows else self._n_rows

    def allocate(self, length: int) -> Optional[int]:
        """Return the first row of a free run of ``length`` rows, now taken; None if there is none."""
        for i, (first, gap) in enumerate(self._gaps):
            if gap >= length:
                rest = [(first + length, gap - length)] if gap > length else []
                self._gaps[i:i + 1] = rest
                return first
        return None

    def free(self, first: int, length: int) -> None:
        """Give back a run that ``allocate`` returned."""
        i = next((i for i, gap in enumerate(self._gaps) if gap[0] > first), len(self._gaps))
        self._gaps.insert(i, (first, length))
        for j in (i, i - 1):  # merge with the gap behind, then with the one in front
            if 0 <= j < len(self._gaps) - 1 and sum(self._gaps[j]) == self._gaps[j + 1][0]:
                self._gaps[j:j + 2] = [(self._gaps[j][0], self._gaps[j][1] + self._gaps[j + 1][1])]

    def state_dict(self) -> dict:
        """Return the gaps."""
        return {'n_rows': self._n_rows, 'gaps': [list(gap) for gap in self._gaps]}

    def load_state_dict(self, state_dict: dict) -> None:
        """Restore ``state_dict``; ValueError if the storage has another size."""
        if state_dict['n_rows'] != self._n_rows:
            raise ValueError(f'RowAllocator: state of {state_dict["n_rows"]} rows, expected {self._n_rows}')
        self._gaps = [tuple(gap) for gap in state_dict['gaps']]
