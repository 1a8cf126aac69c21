"""Few places ask one of our own objects what it is: what differs by type is a method of the type."""

import ast
from pathlib import Path

import stratune
from tests.imports import modules_of

PACKAGE = Path(stratune.__file__).parent
FEWER_THAN = 10
NOT_COUNTED = ("stratune.testing", "stratune.errors")


def asked_for(folder, not_counted=()):
    """`file:line: code` of every isinstance or class pattern with a class of the package's own."""
    modules = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in modules_of(folder).items()}
    classes = {
        f"{name}.{node.name}"
        for name, tree in modules.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    names = {name: _names(name, tree) for name, tree in modules.items()}
    found = []
    for name, path in modules_of(folder).items():
        if name.startswith(not_counted):
            continue
        for node in ast.walk(modules[name]):
            asked = {_home(_dotted(part), name, names, classes) for part in _asked(node)}
            if any(home and not home.startswith(not_counted) for home in asked):
                place = path.relative_to(folder.parent).as_posix()
                line = getattr(node, "pattern", node).lineno
                found.append(f"{place}:{line}: {ast.unparse(node).splitlines()[0].strip()}")
    return found


def _asked(node):
    """The expressions that stand for classes in isinstance(x, A), (A, B), A | B, or in `case A():`."""
    if isinstance(node, ast.match_case):
        return [part.cls for part in ast.walk(node.pattern) if isinstance(part, ast.MatchClass)]
    if (
        isinstance(node, ast.Call)
        and _dotted(node.func) in ("isinstance", "issubclass")
        and len(node.args) == 2
    ):
        return [part for part in ast.walk(node.args[1]) if isinstance(part, (ast.Name, ast.Attribute))]
    return []


def _dotted(node):
    """a.b.c as text; "" for anything else."""
    text = ast.unparse(node) if isinstance(node, (ast.Name, ast.Attribute)) else ""
    return text if text.replace(".", "").isidentifier() else ""


def _names(module, tree):
    """{name in a module: what it stands for}, of imports wherever they are, and of the module's own classes."""
    known = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            known[node.name] = f"{module}.{node.name}"
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            known |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            known |= {alias.asname: alias.name for alias in node.names if alias.asname}
    return known


def _home(dotted, module, names, classes):
    """Where a class is defined, through the modules that pass it on; None: it is not the package's."""
    first, _, rest = dotted.partition(".")
    full = names[module].get(first, first) + (f".{rest}" if rest else "")
    for _ in range(len(names)):
        if full in classes:
            return full
        home, _, name = full.rpartition(".")
        if name not in names.get(home, {}) or names[home][name] == full:
            return None
        full = names[home][name]
    return None


def test_our_own_types_are_asked_for_in_few_places():
    found = asked_for(PACKAGE, NOT_COUNTED)
    assert len(found) < FEWER_THAN, f"{len(found)} places ask what an object of ours is:\n" + "\n".join(found)


def test_the_counter_knows_own_classes_by_every_name(tmp_path):
    folder = tmp_path / "house"
    folder.mkdir()
    (folder / "__init__.py").write_text("from house.cats import Cat as Pet\n")
    (folder / "cats.py").write_text("class Cat:\n    pass\nclass CatError(Exception):\n    pass\n")
    (folder / "asks.py").write_text(
        "import house.cats\nimport house.cats as c\nfrom house import Pet\nfrom house.cats import Cat, CatError\n"
        "isinstance(1, int)\nisinstance(1, Cat)\nisinstance(1, (int, Pet))\nisinstance(1, str | c.Cat)\n"
        "isinstance(1, house.cats.Cat)\nisinstance(1, Other)\nisinstance(1, CatError)\n"
        "match 1:\n    case int():\n        pass\n    case Cat():\n        pass\n"
    )
    found = [line.split(":")[1] for line in asked_for(folder)]
    assert found == ["6", "7", "8", "9", "11", "15"]
    assert asked_for(folder, ("house.cats",)) == []
