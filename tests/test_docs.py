"""The documents are held true: what exists is named, what is named exists, and links lead somewhere."""

import argparse
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobthread import cli, errors
from jobthread.entities import AuditAction
from jobthread.settings import SETTINGS, variable

TOP = Path(__file__).resolve().parent.parent
SOURCE = TOP / "src" / "jobthread"
GUIDES = sorted([TOP / "README.md", *(TOP / "docs").glob("*.md")])
PAGES = sorted([*TOP.glob("*.md"), *(TOP / "docs").rglob("*.md")])


def told(path: Path) -> str:
    return path.read_text("utf-8")


@pytest.fixture(scope="module")
def guides() -> str:
    return "\n\n".join(map(told, GUIDES))


@pytest.fixture(scope="module")
def the_map() -> str:
    return told(TOP / "docs" / "map.md")


def tracked() -> list[Path]:
    """What is in the repository, or would be with the next commit."""
    listing = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=TOP,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return [TOP / name for name in listing.split("\0") if name and (TOP / name).is_file()]


def missing(names: Iterator[str] | list[str], text: str) -> list[str]:
    """Those that stand nowhere in the text as words of their own."""
    return [name for name in names if not re.search(rf"(?<![\w/.]){re.escape(name)}(?![\w])", text)]


# --- What exists is named ---


def test_every_setting_is_named(guides: str) -> None:
    assert missing(list(map(variable, SETTINGS)), guides) == []


def test_every_command_is_named(guides: str) -> None:
    assert missing(list(commands(cli.build_parser(), "jobthread")), guides) == []


def test_every_audit_action_is_named(guides: str) -> None:
    assert [action for action in AuditAction if f"`{action.value}`" not in guides] == []


def test_every_error_code_is_named(guides: str) -> None:
    codes = {kind.code for kind in kinds_of_error(errors.JobthreadError)}
    assert [code for code in sorted(codes) if f"`{code}`" not in guides] == []


def test_every_folder_at_the_top_is_named(the_map: str) -> None:
    folders = {path.relative_to(TOP).parts[0] for path in tracked() if path.parent != TOP}
    assert [folder for folder in sorted(folders) if not names_folder(the_map, folder)] == []


def test_every_package_is_named(the_map: str) -> None:
    assert [package.name for package in packages() if not names_folder(the_map, package.name)] == []


def test_every_module_is_named_as_often_as_there_are_files_of_that_name(the_map: str) -> None:
    files = Counter(file.name for folder in (SOURCE, *packages()) for file in folder.glob("[!_]*.py"))
    named = Counter(re.findall(r"`([\w.]+\.py)`", the_map))
    assert files - named == Counter()


# --- What is named exists ---


def test_no_page_names_a_setting_that_is_none() -> None:
    known = set(map(variable, SETTINGS))
    known |= {f"{variable(name)}_FILE" for name, one in SETTINGS.items() if one.metadata["secret"]}
    named = {word for page in PAGES for word in re.findall(r"JOBTHREAD_[A-Z][A-Z_]*[A-Z]", told(page))}
    assert named - known == set()


def test_no_guide_names_a_command_that_is_none(guides: str) -> None:
    known = {command.split()[1] for command in commands(cli.build_parser(), "jobthread")}
    named = set(re.findall(r"(?:`|^\s*|/bin/)jobthread ([a-z][a-z-]*)", guides, re.MULTILINE))
    assert named - known == set()


def test_the_map_names_no_file_that_is_gone(the_map: str) -> None:
    there = {path.name for path in tracked()}
    assert set(re.findall(r"[\w.-]+\.(?:py|md|sh|toml|txt)\b", the_map)) - there == set()


def test_every_relative_link_leads_somewhere() -> None:
    dead = []
    for page in PAGES:
        for target in re.findall(r"\]\(([^)\s]+)\)", without_code(told(page))):
            if re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = target.partition("#")
            goal = (page.parent / path).resolve() if path else page
            if not goal.exists() or (anchor and goal.suffix == ".md" and anchor not in anchors(told(goal))):
                dead.append(f"{page.relative_to(TOP)}: {target}")
    assert dead == []


# --- What must stand in no file ---


def test_no_file_names_a_package_registry_or_a_path_of_somebodys_machine() -> None:
    # In pieces, so that this file does not name them either.
    hosts = [".".join(parts) for parts in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"))]
    hosts += [".".join(parts) for parts in (("npmjs", "com"), ("deb", "debian", "org"), ("yarnpkg", "com"))]
    forbidden = re.compile("|".join(map(re.escape, hosts)) + r"|(?<![\w.*-])/(?:work|root|home|Users)/")
    found = [
        f"{path.relative_to(TOP)}:{number}: {line.strip()}"
        for path in tracked()
        for number, line in enumerate(lines_of(path), 1)
        if forbidden.search(line)
    ]
    assert found == []


def lines_of(path: Path) -> list[str]:
    try:
        return told(path).splitlines()
    except UnicodeDecodeError:  # no text
        return []


def commands(parser: argparse.ArgumentParser, so_far: str) -> Iterator[str]:
    """Each command with all its words, as one types it: `jobthread user add`."""
    below = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not below and " " in so_far:
        yield so_far
    for action in below:
        for name, inner in action.choices.items():
            yield from commands(inner, f"{so_far} {name}")


def kinds_of_error(kind: type[errors.JobthreadError]) -> Iterator[type[errors.JobthreadError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from kinds_of_error(below)


def packages() -> list[Path]:
    return sorted(file.parent for file in SOURCE.glob("*/__init__.py"))


def names_folder(text: str, folder: str) -> bool:
    return f"`{folder}`" in text or f"`{folder}/`" in text


def without_code(text: str) -> str:
    return re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)


def anchors(text: str) -> set[str]:
    """As the usual viewers make them from headings."""
    headings = re.findall(r"^#+\s+(.+)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}
