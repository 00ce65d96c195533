"""The power fails at any moment: SQLite as we set it keeps all that was acknowledged.

The control is the same with `synchronous=NORMAL`, as is often advised: it loses acknowledged messages, so
that a trial which finds nothing lost means something.
"""

import asyncio
import json
import random
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import text

from jobthread.actions import messages
from jobthread.entities import Actor
from jobthread.store import people
from jobthread.store.database import Database, Writing
from tests.faults import wholeness
from tests.faults.chance import LONG, seeded
from tests.faults.company import Said, at_work
from tests.faults.powercut.replay import MODES, Change, Mode, after_a_cut, apply, changes, disk_with
from tests.faults.powercut.workload import MARKERS
from tests.faults.process import ROOT, environment

MESSAGES = 1200
CUTS = 3000 if LONG else 120
CUTS_OF_CONTROL = 300 if LONG else 45
LOST_BY_CONTROL = 0.3
FILE = "jobthread.db"


@dataclass(frozen=True)
class Recording:
    base: dict[str, bytes]
    changes: list[Change]

    def files_of(self, kind: str) -> set[str]:
        """Names of the files that bear such a change."""
        names = {change.file: change.data.decode() for change in self.changes if change.kind in "OC"}
        return {names[change.file] for change in self.changes if change.kind == kind}


@dataclass(frozen=True)
class Cut:
    place: int
    mode: Mode
    folder: dict[str, bytes]
    said: list[Said]


@pytest.fixture(scope="module")
def recorder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compiled here and now: `./test` sees to it that there is a compiler."""
    library = tmp_path_factory.mktemp("recorder") / "recorder.so"
    source = Path(__file__).with_name("recorder.c")
    subprocess.run(
        ["cc", "-Wall", "-Wextra", "-Werror", "-O2", "-shared", "-fPIC", "-o", library, source], check=True
    )
    return library


@pytest.mark.timeout(1800 if LONG else 120)
def test_a_power_cut_loses_no_acknowledged_message(recorder: Path, tmp_path: Path) -> None:
    recording = record(recorder, tmp_path, "FULL")
    assert {FILE, f"{FILE}-wal"} <= recording.files_of("S")
    assert {FILE, f"{FILE}-wal"} <= recording.files_of("W")
    chance = seeded()
    modes: Counter[str] = Counter()
    for cut in cuts(recording, CUTS, chance):
        kept, lost, faults = after(cut, tmp_path)
        assert (cut.mode, lost, faults) == (cut.mode, [], []), f"cut at {cut.place}"
        modes[cut.mode] += 1
        assert kept >= len(cut.said)
    print(f"{modes.total()} cuts {dict(modes)}: nothing lost")
    assert modes.total() == CUTS


@pytest.mark.timeout(600)
def test_the_trial_sees_what_a_weaker_setting_loses(recorder: Path, tmp_path: Path) -> None:
    recording = record(recorder, tmp_path, "NORMAL")
    lossy = 0
    for cut in cuts(recording, CUTS_OF_CONTROL, seeded()):
        _, lost, faults = after(cut, tmp_path)
        assert faults == [], f"{cut.mode} cut at {cut.place}"
        lossy += lost != []
    print(f"{lossy} of {CUTS_OF_CONTROL} cuts lost acknowledged messages")
    assert lossy > LOST_BY_CONTROL * CUTS_OF_CONTROL


def record(recorder: Path, tmp_path: Path, synchronous: str) -> Recording:
    """Run the workload under the recorder, from a migrated database with a company in it."""
    folder, recorded = tmp_path / "recorded", tmp_path / "recording"
    folder.mkdir()
    url = f"sqlite:///{folder}/{FILE}"
    at_work(url)
    base = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert list(base) == [FILE]
    subprocess.run(
        [sys.executable, "-m", "tests.faults.powercut.workload", url, synchronous, str(MESSAGES)],
        env=environment(folder)
        | {"LD_PRELOAD": str(recorder), "RECORDED_FOLDER": str(folder), "RECORDING": str(recorded)},
        cwd=ROOT,
        check=True,
    )
    return Recording(base, list(changes(recorded.read_bytes())))


def cuts(recording: Recording, count: int, chance: random.Random) -> Iterator[Cut]:
    """Moments of the recording, the first among them; each with a folder that a cut there could leave."""
    places = sorted([0, *chance.choices(range(len(recording.changes)), k=count - 1)])
    disk, said = disk_with(recording.base), list[Said]()
    markers = {c.file for c in recording.changes if c.kind in "OC" and c.data.decode() == MARKERS}
    for change in recording.changes:
        while places and places[0] == change.place:
            mode = chance.choice(MODES)
            yield Cut(places.pop(0), mode, after_a_cut(disk, mode, chance), list(said))
        if change.file not in markers:
            apply(disk, change, recording.base)
        elif change.kind == "W":
            said += map(_said, change.data.splitlines())


def _said(line: bytes) -> Said:
    (kind, sender_id), thread_id, seq, client_msg_id = json.loads(line)
    return Said((kind, sender_id), thread_id, seq, client_msg_id)


def after(cut: Cut, tmp_path: Path) -> tuple[int, list[str], list[str]]:
    """Open what the cut left as a server would: messages kept, acknowledged ones lost, faults; it goes on."""
    folder = tmp_path / "after"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, content in cut.folder.items():
        (folder / name).write_bytes(content)
    db = Database(f"sqlite:///{folder}/{FILE}")
    try:
        return asyncio.run(db.write(lambda tx: _looked_over(tx, cut.said)))
    finally:
        db.close()


def _looked_over(tx: Writing, said: list[Said]) -> tuple[int, list[str], list[str]]:
    rows = tx.conn.execute(text("SELECT * FROM chat_messages ORDER BY thread_id, seq")).all()
    faults, lost = wholeness.faults(tx.conn, rows), wholeness.lost(rows, said)
    dora = people.active_staff(tx)[1]
    [sent] = messages.send_all(tx, [messages.Send(Actor(dora, "", ""), 1, "It goes on.", None)])
    assert isinstance(sent, messages.Sent)
    assert sent.message.seq == sum(row.thread_id == 1 for row in rows) + 1
    return sum(row.kind == "message" for row in rows), lost, faults
