"""The house: what is packed, and who may import whom."""

import ast
import subprocess
import sys
import tomllib
import zipfile
from importlib import import_module
from pathlib import Path

import pytest

ORDER = ("scenes", "render", "streams", "video_models", "objectives", "alignment", "merkwelt")
SEES_TENSORS_ONLY = {"video_models", "objectives", "alignment"}
SCENES_AND_VIDEO = {"scenes", "render", "streams"}


def _python_files(root):
    for package in ORDER:
        for path in sorted((root / package).rglob("*.py")):
            yield package, path


def _imported_packages(path, root):
    """Yield (line, package of ours) for every import, as the interpreter would resolve it."""
    relative = path.relative_to(root)
    in_app = relative.parts[0] == "merkwelt"
    dotted = relative.parent.parts if in_app else ("merkwelt", *relative.parent.parts)
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = dotted[: len(dotted) - node.level + 1]
            assert base, f"{relative}:{node.lineno} climbs out of the package"
            target = (*base, *(node.module.split(".") if node.module else ()))
            names = [target] if len(target) > 1 else [(*target, a.name) for a in node.names]
            for name in names:
                yield node.lineno, name[1] if name[1] in ORDER[:-1] else "merkwelt"
        elif isinstance(node, ast.ImportFrom | ast.Import):
            modules = [node.module] if isinstance(node, ast.ImportFrom) else []
            modules += [a.name for a in node.names] if isinstance(node, ast.Import) else []
            for module in modules:
                first = module.split(".")[0]
                assert first not in ORDER, f"{relative}:{node.lineno} imports {module} absolutely"


def test_packages_import_relatively_and_never_upward(repository):
    wrong = []
    for package, path in _python_files(repository):
        for line, target in _imported_packages(path, repository):
            upward = ORDER.index(target) > ORDER.index(package)
            sideways = {package, target} == {"objectives", "video_models"}
            sees_scene = package in SEES_TENSORS_ONLY and target in SCENES_AND_VIDEO
            if upward or sideways or sees_scene:
                wrong.append(f"{path.relative_to(repository)}:{line} imports {target}")
    assert not wrong, "\n".join(wrong)


def test_tests_and_benchmarks_import_the_installed_names(repository):
    wrong = []
    for folder in ("tests", "benchmarks", "docs"):
        for path in sorted((repository / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                modules = [node.module] if isinstance(node, ast.ImportFrom) else []
                modules += [a.name for a in node.names] if isinstance(node, ast.Import) else []
                wrong += [
                    f"{path.name}:{node.lineno} imports {m}"
                    for m in modules
                    if m and m.split(".")[0] in ORDER[:-1]
                ]
    assert not wrong, "\n".join(wrong)


def test_every_folder_with_code_is_a_listed_package(repository):
    listed = tomllib.loads((repository / "pyproject.toml").read_text())["tool"]["setuptools"]
    found = set()
    for package, path in _python_files(repository):
        parts = path.parent.relative_to(repository).parts
        found.add(".".join(parts if package == "merkwelt" else ("merkwelt", *parts)))
    assert set(listed["packages"]) == found
    assert set(listed["package-dir"]) == found


@pytest.mark.parametrize("package", ORDER)
def test_the_imported_package_is_the_one_in_this_repository(repository, package):
    name = package if package == "merkwelt" else f"merkwelt.{package}"
    module = import_module(name)
    assert repository in Path(module.__file__).parents


@pytest.mark.slow
def test_the_wheel_holds_merkwelt_only_and_the_bundled_scene(repository, tmp_path):
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path]
    done = subprocess.run([*command, repository], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    names = zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist()
    tops = {name.split("/")[0] for name in names}
    assert tops == {"merkwelt", next(t for t in tops if t.endswith(".dist-info"))}
    bundled = "merkwelt/scenes/bundled/living_room"
    for part in ("scene.json", "field.safetensors", "preview.png"):
        assert f"{bundled}/{part}" in names
    assert "merkwelt/report/report.html" in names
    assert "merkwelt/alignment/models/imagenet_words.txt" in names
    assert "merkwelt/py.typed" in names
