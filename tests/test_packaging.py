"""What is written about the package in several places agrees, and a build holds all it should."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml

import motifcnn
from motifcnn import __version__

REPOSITORY = Path(__file__).resolve().parent.parent

CONDA_NAMES = {"isal": "python-isal", "matplotlib": "matplotlib-base", "torch": "pytorch"}
"""Where conda-forge or bioconda name a package otherwise than in lower case."""

REQUIREMENT = re.compile(r"^(?P<name>[A-Za-z0-9_.-]+)\s*(?P<bounds>.*)$")


@pytest.fixture(scope="module")
def project():
    return tomllib.loads((REPOSITORY / "pyproject.toml").read_text())


def split(requirement):
    match = REQUIREMENT.match(requirement)
    return match["name"], match["bounds"].replace(" ", "")


def canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def pins():
    lines = (REPOSITORY / "constraints.txt").read_text().splitlines()
    return {canonical(name): version for name, version in (line.split("==") for line in lines if line[0] != "#")}


def test_the_conda_environment_is_in_step_with_pyproject(project):
    environment = yaml.safe_load((REPOSITORY / "environment.yml").read_text())
    listed = dict(split(item) for item in environment["dependencies"] if isinstance(item, str))
    needed = dict(map(split, project["project"]["dependencies"]))
    assert listed.pop("python") == project["project"]["requires-python"]
    assert listed.pop("pip") == ""
    assert listed == {CONDA_NAMES.get(name, name.lower()): bounds for name, bounds in needed.items()}
    assert environment["channels"] == ["conda-forge", "bioconda"]
    assert environment["dependencies"][-1] == {"pip": ["-e ."]}


def test_everything_that_is_needed_is_pinned_within_its_bounds(project):
    pinned = pins()
    assert pinned["torch"] == "2.13.0"
    for requirement in [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]:
        name, bounds = split(requirement)
        least = [int(part) for part in re.findall(r"\d+", bounds)]
        assert [int(part) for part in re.findall(r"\d+", pinned[canonical(name)])] >= least, requirement


def test_no_pin_is_of_one_machine():
    assert not [version for version in pins().values() if "+" in version or "@" in version]


def test_the_version_is_the_same_everywhere(project):
    citation = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text())
    assert project["project"]["version"] == citation["version"] == __version__
    assert citation["license"] == project["project"]["license"]


def test_every_package_is_listed(project):
    tools = project["tool"]["setuptools"]
    present = {
        ".".join(path.parent.relative_to(REPOSITORY).parts) for path in (REPOSITORY / "motifcnn").rglob("__init__.py")
    }
    assert set(tools["packages"]) == present | {"motifcnn.cli", "motifcnn.data"}


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    """An sdist, and the wheel made from it, of a copy of what git tracks or would track."""
    if not (REPOSITORY / ".git").exists():
        pytest.skip("not a git checkout: which files belong to the package is not known")
    folder = tmp_path_factory.mktemp("build")
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=REPOSITORY,
        capture_output=True,
        check=True,
    ).stdout.decode()
    for name in filter(None, listed.split("\0")):
        if (REPOSITORY / name).is_file():
            (folder / "copy" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPOSITORY / name, folder / "copy" / name)
    make = (
        "import sys, setuptools.build_meta as build; print(build.build_sdist(sys.argv[1]) if len(sys.argv) < 3 "
        "else build.build_wheel(sys.argv[1]))"
    )
    run(folder / "copy", "-c", make, folder)
    (sdist,) = folder.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder / "unpacked", filter="data")
    (source,) = (folder / "unpacked").iterdir()
    run(source, "-c", make, folder, "wheel")
    (wheel,) = folder.glob("*.whl")
    return sdist, wheel


def run(folder, *arguments):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    done = subprocess.run(
        [sys.executable, *map(str, arguments)], cwd=folder, capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_sdist_holds_tests_data_and_tools(build):
    with tarfile.open(build[0]) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    wanted = {"Makefile", "constraints.txt", "environment.yml", "CITATION.cff", ".ci/run", "tests/conftest.py"}
    assert wanted | {"data/make_data.py", "data/ecoli_k12.fa.gz", "data/README.md", "cli/main.py", "LICENSE"} <= names


def test_the_wheel_from_the_sdist_holds_the_commands_and_the_data(build):
    with zipfile.ZipFile(build[1]) as archive:
        names = set(archive.namelist())
    assert {
        "motifcnn/cli/main.py",
        "motifcnn/data/crp.fa",
        "motifcnn/data/ecoli_k12.fa.gz",
        "motifcnn/py.typed",
    } <= names
    assert not [name for name in names if not name.startswith(("motifcnn/", "motifcnn-"))]
    modules = {path.relative_to(REPOSITORY).as_posix() for path in (REPOSITORY / "motifcnn").rglob("*.py")}
    assert modules <= names
    assert {path.relative_to(REPOSITORY).as_posix() for path in (REPOSITORY / "motifcnn").rglob("*.j2")} <= names


def test_the_installed_wheel_finds_its_data_from_another_folder(build, tmp_path):
    site = tmp_path / "site-packages"
    with zipfile.ZipFile(build[1]) as archive:
        archive.extractall(site)
    # isolated (-I): neither this folder nor the checkout's editable install is on the path
    command = (
        "import sys; sys.path.insert(0, sys.argv[1]); from motifcnn.shipped import shipped; print(shipped('crp.fa'))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", command, str(site)], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == str(site / "motifcnn" / "data" / "crp.fa")


def test_nobody_imports_the_command_line_by_its_installed_name():
    # import-linter sees cli/ as a package of its own, so that this name is for us to watch.
    named = re.compile(r"^\s*(from|import) (motifcnn\.)?cli\b|^\s*from motifcnn import .*\bcli\b", re.MULTILINE)
    sources = [path for folder in ("motifcnn", "cli", "data", "tests") for path in (REPOSITORY / folder).rglob("*.py")]
    assert [str(path) for path in sources if named.search(path.read_text())] == []


def test_the_package_does_not_look_its_version_up_before_it_is_asked_for():
    program = "import sys, motifcnn.errors; print('importlib.metadata' in sys.modules, motifcnn.__version__)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == f"False {__version__}\n"
    with pytest.raises(AttributeError, match=r"^module 'motifcnn' has no attribute 'versoin'$"):
        _ = motifcnn.versoin
