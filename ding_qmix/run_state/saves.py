"""The folder of a run's whole saves: each is a manifest that names its files, and is renamed into place last."""
import json
import os
import re
from collections.abc import Iterator
from typing import Any, Callable, NamedTuple, Optional

import torch

from ding_qmix.run_state.run import RunState
from ding_qmix.run_state.whole_file import FileMark, mark_of, write_whole

RUN_STATE_FOLDER = 'run_state'  # below the checkpoints
_MANIFEST = re.compile(r'save_(\d+)\.json$')
_N_KEPT = 2  # saves


class Segment(NamedTuple):
    """Samples first <= id < stop of a part, in a file of their own."""
    first: int
    stop: int
    file: str


class Save(NamedTuple):
    """What a manifest says: the files of one moment of a run."""
    number: int
    train_iter: int
    env_step: int
    checkpoint: str
    state: str
    segments: dict[str, list[Segment]]  # by name of the part
    files: dict[str, FileMark]

    @classmethod
    def read(cls, path: str) -> 'Save':
        """Read a manifest; ValueError, KeyError or TypeError if it is none."""
        with open(path, encoding='utf-8') as file:
            found = json.load(file)
        segments = {name: [Segment(*s) for s in part] for name, part in found['segments'].items()}
        files = {name: FileMark(*mark) for name, mark in found['files'].items()}
        return cls(**{**found, 'segments': segments, 'files': files})


class RunSaves:
    """
    Overview:
        The whole saves of a run in one folder, the newest two kept. What a large part has pushed since the save before
        goes into a segment file of its own, which later saves name as well, until all of its samples have left.
    Interfaces:
        ``write``, ``find``, ``checkpoint``, ``restore``, ``go_on_from``
    """

    def __init__(self, folder: str) -> None:
        """
        Arguments:
            - folder: of the saves; need not be there
        """
        self._folder = folder
        self._kept: list[Save] = []  # the newest last

    @property
    def numbers(self) -> list[int]:
        """Numbers of the manifests that are there, the newest first."""
        names = os.listdir(self._folder) if os.path.isdir(self._folder) else []
        return sorted((int(found[1]) for found in map(_MANIFEST.match, names) if found), reverse=True)

    def write(self, run: RunState, checkpoint: dict[str, Any], train_iter: int) -> str:
        """
        Overview:
            Write one moment of a run: segments, state and checkpoint first, then the manifest.
        Arguments:
            - run, checkpoint: of this moment
            - train_iter: of this moment
        Returns:
            - path: of the manifest
        """
        number = max(self.numbers, default=0) + 1
        files: dict[str, FileMark] = {}
        segments = {name: self._write_segments(name, run, number, files) for name in run.sample_logs}
        names = f'checkpoint_{number}.pth.tar', f'state_{number}.pth.tar'
        for name, content in zip(names, (checkpoint, run.state_dict(samples=False))):
            self._write(name, content, files)
        save = Save(number, train_iter, run.env_step, *names, segments, files)
        write_whole(self._path(f'save_{number}.json'), json.dumps(save._asdict(), indent=1).encode())
        self._kept = [*self._kept, save][-_N_KEPT:]
        self._remove_others()
        return self._path(f'save_{number}.json')

    def find(self, warn: Callable[[str], Any], train_iter: Optional[int] = None) -> Optional[Save]:
        """
        Overview:
            Return the newest save that is whole.
        Arguments:
            - warn: is told the file that makes a newer save unusable
            - train_iter: of the save; None takes any
        """
        for number in self.numbers:
            path = self._path(f'save_{number}.json')
            try:
                save = Save.read(path)
            except (ValueError, KeyError, TypeError, OSError):
                warn(f'{path} is damaged: save {number} of the run is passed over')
                continue
            if train_iter not in (None, save.train_iter):
                continue
            damaged = next(self._damaged(save), None)
            if damaged is None:
                return save
            warn(f'{damaged} is damaged or missing: save {number} of the run is passed over')
        return None

    def checkpoint(self, save: Save) -> dict[str, Any]:
        """Read the checkpoint of a save."""
        return torch.load(self._path(save.checkpoint), map_location='cpu', weights_only=True)

    def restore(self, run: RunState, save: Save) -> None:
        """Restore the parts of a run and the generators as they were at a save."""
        logs = run.sample_logs
        run.load_state_dict(torch.load(self._path(save.state), weights_only=True))
        for name, segments in save.segments.items():
            for segment in segments:
                samples = torch.load(self._path(segment.file), weights_only=True)
                logs[name].load_samples(range(segment.first, segment.stop), samples)

    def go_on_from(self, save: Save) -> None:
        """Later saves of this folder build on this one, and newer ones, which are damaged, are removed with them."""
        self._kept = [save]

    def _write_segments(self, name: str, run: RunState, number: int, files: dict[str, FileMark]) -> list[Segment]:
        """Write what is new of a part; return all segments that hold stored samples."""
        log, last = run.sample_logs[name], self._kept[-1] if self._kept else None
        ids = log.sample_ids
        segments = [s for s in (last.segments[name] if last else []) if s.stop > ids.start]
        if last is not None:
            files.update((s.file, last.files[s.file]) for s in segments)
        first = max(ids.start, segments[-1].stop if segments else 0)
        if first < ids.stop:
            segments.append(Segment(first, ids.stop, f'samples_{name}_{number}.pth.tar'))
            self._write(segments[-1].file, log.samples_state_dict(range(first, ids.stop)), files)
        return segments

    def _write(self, name: str, content: dict[str, Any], files: dict[str, FileMark]) -> None:
        write_whole(self._path(name), content)
        files[name] = mark_of(self._path(name))

    def _damaged(self, save: Save) -> Iterator[str]:
        """Files of a save that are not as they were written."""
        for name, mark in save.files.items():
            path = self._path(name)
            if not os.path.isfile(path) or mark_of(path) != mark:
                yield path

    def _remove_others(self) -> None:
        """Remove what no kept save names, manifests first, so that none is left without its files."""
        kept = {name for save in self._kept for name in (*save.files, f'save_{save.number}.json')}
        for name in sorted(os.listdir(self._folder), key=lambda name: not _MANIFEST.match(name)):
            if name not in kept:
                os.remove(self._path(name))

    def _path(self, name: str) -> str:
        return os.path.join(self._folder, name)
