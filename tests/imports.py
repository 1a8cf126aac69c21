"""What a package's modules import of each other: at module level, in functions, under TYPE_CHECKING."""

import ast
from collections import defaultdict
from dataclasses import dataclass


@dataclass(frozen=True)
class Import:
    """One module's import of another of the same package."""

    module: str
    imported: str
    place: str  # stratune/net/net.py:12
    statement: str
    target: str  # the imported file

    def __str__(self):
        return f"{self.place} imports {self.target} ({self.statement})"


def modules_of(folder):
    """{dotted name: file} of a package."""
    found = {}
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports_of(folder):
    """Every import between the package's modules, wherever in a file it stands."""
    modules, found = modules_of(folder), []

    def shown(path):
        return path.relative_to(folder.parent).as_posix()

    for module, path in modules.items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, (ast.Import, ast.ImportFrom)):
                continue
            for name in sorted(_names(node, module, path, modules) - {module}):
                place = f"{shown(path)}:{node.lineno}"
                found.append(Import(module, name, place, ast.unparse(node), shown(modules[name])))
    return found


def _names(node, module, path, modules):
    """The modules of the package that a statement names; `from a import b` names a.b where that is one."""
    if isinstance(node, ast.Import):
        return {alias.name for alias in node.names} & modules.keys()
    base = node.module or ""
    if node.level:
        package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
        base = ".".join([*package[: len(package) - node.level + 1], *([base] if base else [])])
    named = {f"{base}.{alias.name}" for alias in node.names}
    return ({name if name in modules else base for name in named}) & modules.keys()


def circles(imports):
    """For each group of modules that lead to each other, the imports of its shortest circle."""
    graph = defaultdict(dict)
    for one in imports:
        graph[one.module].setdefault(one.imported, one)
    shortest = {module: _way_back(graph, module) for module in graph}
    left, found = {module for module, way in shortest.items() if way}, []
    while left:
        way = min((shortest[module] for module in sorted(left)), key=len)
        found.append(way)
        left -= _led_to(graph, way[0].module) & _leading_to(graph, way[0].module)
    return found


def _way_back(graph, start):
    """The fewest imports that lead from a module to itself; none: it is in no circle."""
    ways, seen = [[one] for one in graph[start].values()], set()
    while ways:
        longer = []
        for way in ways:
            end = way[-1].imported
            if end == start:
                return way
            if end not in seen:
                seen.add(end)
                longer += [[*way, one] for one in graph.get(end, {}).values()]
        ways = longer
    return []


def _led_to(graph, start):
    found, left = set(), [start]
    while left:
        module = left.pop()
        if module not in found:
            found.add(module)
            left += graph.get(module, {})
    return found


def _leading_to(graph, end):
    back = defaultdict(dict)
    for module, targets in graph.items():
        for target in targets:
            back[target][module] = None
    return _led_to(back, end)


def room_of(module):
    """`net` of stratune.net.net, `errors` of stratune.errors; of the package itself its name."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else parts[0]


def upward(imports, rooms):
    """The imports of rooms that do not stand below the importing one in `rooms`, from the ground up."""
    order = {room: number for number, room in enumerate(rooms)}
    return [one for one in imports if order[room_of(one.imported)] > order[room_of(one.module)]]
