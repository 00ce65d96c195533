"""The disk as a power cut could have left it, rebuilt from a recording of every change to a folder.

A file's change is safe once the file was synced, a name's once the folder was. Of the rest a cut keeps what
it likes: nothing, whatever came before some moment, or any of it, with sectors of 512 bytes half written.
"""

import random
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

SECTOR = 512
_HEAD = struct.Struct("=IIQQ")

Mode = Literal["dropped", "prefix", "subset"]
MODES: tuple[Mode, ...] = ("dropped", "prefix", "subset")


@dataclass(frozen=True, slots=True)
class Change:
    """One operation of the recorder, by its letter; `place` is its place in the recording."""

    place: int
    kind: str
    file: int
    offset: int
    data: bytes


def changes(recording: bytes) -> Iterator[Change]:
    at = place = 0
    while at < len(recording):
        kind, file, offset, length = _HEAD.unpack_from(recording, at)
        at += _HEAD.size
        yield Change(place, chr(kind), file, offset, recording[at : at + length])
        at, place = at + length, place + 1


@dataclass
class Disk:
    """What is safe, and what waits to become so."""

    contents: dict[int, bytearray] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)
    unsynced: dict[int, list[Change]] = field(default_factory=dict)
    unsynced_names: list[Change] = field(default_factory=list)


def disk_with(base: dict[str, bytes]) -> Disk:
    """As it was before the recording, which numbers a file only when it opens it: ours are below its own."""
    numbers = {name: -place for place, name in enumerate(base, start=1)}
    return Disk({numbers[name]: bytearray(content) for name, content in base.items()}, numbers)


def apply(disk: Disk, change: Change, base: dict[str, bytes]) -> None:
    """`base` holds the files that were there before the recording."""
    if change.kind == "O":
        name = change.data.decode()
        disk.names[name] = change.file
        disk.contents[change.file] = bytearray(base[name])
    elif change.kind in "CUR":
        disk.unsynced_names.append(change)
    elif change.kind in "WT":
        disk.unsynced.setdefault(change.file, []).append(change)
    elif change.kind == "S":
        for waiting in disk.unsynced.pop(change.file, []):
            _put(disk.contents.setdefault(change.file, bytearray()), waiting)
    else:
        for waiting in disk.unsynced_names:
            _rename(disk.names, waiting)
        disk.unsynced_names.clear()


def after_a_cut(disk: Disk, mode: Mode, chance: random.Random) -> dict[str, bytes]:
    """One of the folders that a cut at this moment could leave, by file name."""
    names = dict(disk.names)
    survives, names_until = _survivors(disk, mode, chance)
    for waiting in disk.unsynced_names:
        if waiting.place < names_until:
            _rename(names, waiting)
    folder = {}
    for name, file in names.items():
        content = bytearray(disk.contents.get(file, b""))
        for waiting in disk.unsynced.get(file, []):
            survives(content, waiting)
        folder[name] = bytes(content)
    return folder


def _survivors(
    disk: Disk, mode: Mode, chance: random.Random
) -> tuple[Callable[[bytearray, Change], None], int]:
    """How an unsynced change of a file lands, and up to which place names do: a folder keeps its order."""
    waiting = [change.place for of_file in disk.unsynced.values() for change in of_file]
    waiting += [change.place for change in disk.unsynced_names]
    if mode == "dropped" or not waiting:
        return lambda content, change: None, 0
    until = chance.randint(min(waiting), max(waiting) + 1)
    if mode == "prefix":
        return lambda content, change: _put(content, change) if change.place < until else None, until
    return lambda content, change: _put_some(content, change, chance), until


def _put(content: bytearray, change: Change) -> None:
    if change.kind == "T":
        del content[change.offset :]
        content.extend(bytes(change.offset - len(content)))
        return
    content.extend(bytes(max(0, change.offset - len(content))))
    content[change.offset : change.offset + len(change.data)] = change.data


def _put_some(content: bytearray, change: Change, chance: random.Random) -> None:
    """All, nothing, or some of its sectors."""
    fate = chance.randrange(3)
    if fate == 1 or (fate == 2 and change.kind == "T"):
        _put(content, change)
    elif fate == 2:
        for start in range(0, len(change.data), SECTOR):
            if chance.random() < 0.5:
                part = change.data[start : start + SECTOR]
                _put(content, Change(change.place, "W", change.file, change.offset + start, part))


def _rename(names: dict[str, int], change: Change) -> None:
    text = change.data.decode()
    if change.kind == "C":
        names[text] = change.file
    elif change.kind == "U":
        names.pop(text, None)
    else:
        old, _, new = text.partition("\0")
        names[new] = names.pop(old, change.file)
