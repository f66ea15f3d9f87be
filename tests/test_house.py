"""The house rules, kept by reading every import: down only, through front doors, no print outside the cli.

Each rule is also shown to fail on a small house that breaks it.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parent.parent

FLOORS: dict[str, int] = {
    "ansord_client": 0,
    "ansord.dag": 1,
    "ansord.nest": 2,
    "ansord.record": 2,
    "ansord.sketch": 3,
    "ansord.score": 3,
    "ansord.emit": 3,
    "ansord.search": 4,
    "ansord.build": 4,
    "ansord.measure": 5,
    "ansord.store": 5,
    "ansord.scheduler": 6,
    "ansord.tune": 6,
    "ansord.daemon": 7,
    "ansord.cli": 8,
    "ansord.__main__": 9,
    "ansord": 0,  # the package itself: a version and nothing else
}


def module_name(path: Path, root: Path) -> str:
    parts = list(path.relative_to(root).with_suffix("").parts)
    if parts[0] == "client":
        parts = parts[1:]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(module: str) -> str | None:
    """The room that a dotted name lies in; None for the standard library and other distributions."""
    if module.split(".")[0] == "ansord_client":
        return "ansord_client"
    if module.split(".")[0] != "ansord":
        return None
    return ".".join(module.split(".")[:2])


def imports_of(tree: ast.AST, module: str, package: bool) -> Iterator[tuple[int, str, tuple[str, ...]]]:
    """(line, imported module, imported names), wherever in the file they stand; relative ones resolved."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name, ()
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                here = module.split(".")
                here = here[: len(here) - node.level + (1 if package else 0)]
                base = ".".join([*here, *([base] if base else [])])
            yield node.lineno, base, tuple(alias.name for alias in node.names)


def exported(root: Path, room: str) -> set[str]:
    """The names in `__all__` of a room's front door."""
    door = root / room.replace(".", "/") / "__init__.py"
    if not door.exists():
        return set()
    for node in ast.parse(door.read_text()).body:
        if isinstance(node, ast.Assign) and "__all__" in [ast.unparse(target) for target in node.targets]:
            return set(ast.literal_eval(node.value))
    return set()


def bound(tree: ast.Module) -> set[str]:
    """The names that a module's top level binds."""
    names = set()
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {ast.unparse(target) for target in targets}
    return names


def sources(root: Path) -> list[Path]:
    return sorted([*root.glob("ansord/**/*.py"), *root.glob("client/ansord_client/**/*.py")])


def broken_rules(root: Path) -> list[str]:
    """Every violation under `root`, as `file:line: what`."""
    found = []
    for path in sources(root):
        module = module_name(path, root)
        home = room_of(module)
        tree = ast.parse(path.read_text(), str(path))
        where = str(path.relative_to(root))
        if home not in FLOORS:
            found.append(f"{where}:1: {home} stands on no floor")
            continue
        for line, target, names in imports_of(tree, module, path.name == "__init__.py"):
            found += [f"{where}:{line}: {what}" for what in judge(root, home, target, names)]
        if home != "ansord.cli":
            found += [
                f"{where}:{node.lineno}: print"
                for node in ast.walk(tree)
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
            ]
    return found


def judge(root: Path, home: str, target: str, names: tuple[str, ...]) -> Iterator[str]:
    """What is wrong with one import statement, seen from the room `home`."""
    candidates = [target]
    if target == "ansord":  # `from ansord import dag` names a room as well as `import ansord.dag` does
        candidates = [room for name in names if (room := f"ansord.{name}") in FLOORS]
    for candidate in candidates:
        there = room_of(candidate)
        if there is None or there == home or candidate == "ansord":
            continue
        if there not in FLOORS:
            yield f"{there} stands on no floor"
        elif FLOORS[there] > FLOORS[home]:
            yield f"{home} imports {there}, a floor above"
        elif FLOORS[there] == FLOORS[home]:
            yield f"{home} imports its sibling {there}"
        elif there != "ansord_client" and candidate != there:
            yield f"{candidate} is not the front door of {there}"
        elif there != "ansord_client" and target == there:
            inside = exported(root, there)
            yield from (f"{name} is not in the front door of {there}" for name in names if name not in inside)


def test_the_house_keeps_its_rules() -> None:
    assert broken_rules(REPO) == []


def test_every_front_door_names_only_what_it_has() -> None:
    for room in FLOORS:
        door = REPO / ("client" if room == "ansord_client" else "") / room.replace(".", "/") / "__init__.py"
        if not door.exists() or room == "ansord":
            continue
        inside = bound(ast.parse(door.read_text()))
        assert exported(door.parent.parent, door.parent.name) <= inside, room


@pytest.mark.parametrize(
    ("path", "text", "complaint"),
    [
        ("ansord/dag/a.py", "from ansord.tune import Session\n", "a floor above"),
        ("ansord/dag/a.py", "def f():\n    import ansord.cli\n", "a floor above"),
        ("ansord/dag/a.py", "from ..search import evolve\n", "a floor above"),
        ("ansord/dag/a.py", "from ansord import search\n", "a floor above"),
        ("ansord/store/a.py", "from ansord.measure import Runner\n", "its sibling"),
        ("ansord/emit/__init__.py", "from ..score import Model\n", "its sibling"),
        ("client/ansord_client/a.py", "import ansord.dag\n", "a floor above"),
        ("ansord/search/a.py", "from ansord.nest.secret import thing\n", "not the front door"),
        ("ansord/search/a.py", "from ansord.nest import hidden\n", "not in the front door"),
        ("ansord/attic/a.py", "x = 1\n", "stands on no floor"),
        ("ansord/dag/a.py", "print('hello')\n", "print"),
    ],
)
def test_a_house_that_breaks_a_rule_is_told(tmp_path: Path, path: str, text: str, complaint: str) -> None:
    door = tmp_path / "ansord/nest/__init__.py"
    door.parent.mkdir(parents=True)
    door.write_text("from ansord.nest.loops import Nest\n__all__ = ['Nest']\n")
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).write_text(text)
    assert [what for what in broken_rules(tmp_path) if complaint in what and path in what]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("ansord/search/a.py", "from ansord.nest import Nest\nfrom ansord_client.index import Index\n"),
        ("ansord/search/a.py", "from . import b\nfrom .b import c\nimport json\n"),
        ("ansord/cli/a.py", "from ansord.nest import Nest\nprint(Nest)\n"),
        ("ansord/__main__.py", "from ansord.nest import Nest\n"),
    ],
)
def test_a_house_that_keeps_them_is_left_alone(tmp_path: Path, path: str, text: str) -> None:
    door = tmp_path / "ansord/nest/__init__.py"
    door.parent.mkdir(parents=True)
    door.write_text("from ansord.nest.loops import Nest\n__all__ = ['Nest']\n")
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).write_text(text)
    assert broken_rules(tmp_path) == []


def test_the_client_stays_thin() -> None:
    """An inference server imports the client: it must not drag in the daemon or scikit-learn."""
    code = (
        "import sys, ansord_client\n"
        "heavy = {'ansord', 'sklearn', 'scipy', 'anyio', 'watchdog', 'rich'} & set(sys.modules)\n"
        "sys.exit(', '.join(sorted(heavy)) or None)"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_search_is_there_before_scikit_learn() -> None:
    """Loading it takes most of two seconds, in which the first programs are on their way."""
    code = "import sys, ansord.search.process, ansord.tune\nsys.exit('sklearn' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
