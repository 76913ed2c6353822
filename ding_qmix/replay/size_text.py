"""How much memory a replay buffer takes, for its log."""
from ding_qmix.replay.row_store import RowStore


def row_size(store: RowStore) -> str:
    """What a row takes."""
    return f'a row takes {store.row_bytes:,} bytes, {store.layout} are bits'


def expected_size(store: RowStore, n_samples: int, n_rows: int, mean_rows: float) -> str:
    """What a buffer of so many samples and rows takes, with ``mean_rows`` rows per sample and with all of them."""
    expected = min(n_samples * mean_rows, n_rows) * store.row_bytes + n_samples * store.slot_bytes
    most = n_rows * store.row_bytes + n_samples * store.slot_bytes
    return (
        f'replay buffer: up to {n_samples:,} samples in {n_rows:,} rows; {row_size(store)}; about '
        f'{expected / 2 ** 20:,.0f} MiB when full of samples as long as the first ones, {most / 2 ** 20:,.0f} MiB '
        'when all rows are taken'
    )
