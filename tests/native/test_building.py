"""Kernels are compiled once per machine, never taken from what is stale or damaged, and run."""

import gc
import math
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import autograd_lite
from autograd_lite.native.kernels import building, caching, convention, runner
from autograd_lite.primitives import Primitive

SOURCE = Path(autograd_lite.__file__).parent

SCRIPT = """
import sys
import numpy as np
from autograd_lite.native.kernels.building import address
from autograd_lite.native.kernels.convention import callable_at
from autograd_lite.native.kernels.elementwise import elementwise_kernel
from autograd_lite.primitives import TABLE
kernel = lambda: elementwise_kernel(TABLE["leaky_relu"], "forward", (False, False), "point")
at = address("leaky_relu forward 00 point", kernel)
v, index = np.array([-3.0, 0.5, 0.0]), np.array([0, 1], np.int32)
callable_at(at)(v.ctypes.data, 0, 0, 0, index.ctypes.data, 0, 0, 2, 3, 1)
print(v[2], "compiled" if "numba" in sys.modules else "loaded")
"""


@pytest.fixture(scope="module")
def in_new_process(tmp_path_factory):
    script = tmp_path_factory.mktemp("scripts") / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")

    def run(cache: Path, *, package: Path = SOURCE.parent) -> str:
        environment = {**os.environ, "AUTOGRAD_LITE_CACHE": str(cache), "PYTHONPATH": str(package)}
        done = subprocess.run(
            [sys.executable, str(script)], env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return run


def kernel_that_adds(amount):
    def kernel(v, g, u, gu, index, labels, first, start, stop, lanes):
        for row in range(start, stop):
            v[row] = v[index[first + row - start]] + amount

    return kernel


def applied_to_one(at, *, dtype=np.float64):
    v, index = np.array([1.0, 0.0], dtype), np.array([0], np.int32)
    convention.callable_at(at)(v.ctypes.data, 0, 0, 0, index.ctypes.data, 0, 0, 1, 2, 1)
    return v[1].item()


@pytest.fixture(scope="module")
def warm_cache(in_new_process, tmp_path_factory):
    cache = tmp_path_factory.mktemp("cache")
    assert in_new_process(cache) == "-1.5 compiled"
    return cache


@pytest.fixture
def own_cache(warm_cache, tmp_path):
    return shutil.copytree(warm_cache, tmp_path / "cache")


@pytest.fixture
def empty_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("AUTOGRAD_LITE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def the_file(cache: Path) -> Path:
    (found,) = cache.iterdir()
    return found


# -- on disk ---------------------------------------------------------------------------------------


def test_a_second_process_loads_the_kernel_without_importing_numba(in_new_process, warm_cache):
    assert in_new_process(warm_cache) == "-1.5 loaded"


def test_a_kernels_file_says_what_it_is(warm_cache):
    assert the_file(warm_cache).name.startswith("leaky-relu-forward-00-point-float64-")


def test_a_changed_formula_is_compiled_anew_beside_the_old_one(in_new_process, own_cache, tmp_path):
    changed = shutil.copytree(SOURCE, tmp_path / "package" / "autograd_lite")
    formulas = changed / "primitives" / "activations.py"
    text = formulas.read_text(encoding="utf-8")
    statement = "lambda x, slope: x if x > 0.0 else slope * x,"
    assert text.count(statement) == 1
    formulas.write_text(
        text.replace(statement, "lambda x, slope: x if x > 0.0 else slope + x,"), encoding="utf-8"
    )
    assert in_new_process(own_cache, package=changed.parent) == "-2.5 compiled"
    assert in_new_process(own_cache) == "-1.5 loaded"
    assert len(list(own_cache.iterdir())) == 2


def test_a_change_where_the_kernel_is_made_is_seen_too(monkeypatch, tmp_path):
    (tmp_path / "maker_of_kernels.py").write_text("make = lambda: None\n")
    monkeypatch.syspath_prepend(tmp_path)
    import maker_of_kernels

    first = caching.file_name("k", "float64", maker_of_kernels.make.__module__)
    caching.digest_of.cache_clear()
    (tmp_path / "maker_of_kernels.py").write_text("make = lambda: 0\n")
    second = caching.file_name("k", "float64", maker_of_kernels.make.__module__)
    assert first != second
    assert first is not None
    assert second is not None


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:20],
        lambda content: content[:-100],
        lambda content: content[:200] + bytes([content[200] ^ 1]) + content[201:],
    ],
    ids=["empty", "a few bytes", "cut off", "one bit"],
)
def test_a_damaged_file_is_replaced(empty_cache, damage):
    building.address(f"whole {damage}", lambda: kernel_that_adds(1.0))
    whole = the_file(empty_cache).read_bytes()
    key = f"damaged {damage}"
    file = empty_cache / caching.file_name(key, "float64", __name__)
    file.write_bytes(damage(whole))
    assert caching.read(file.name) is None
    assert applied_to_one(building.address(key, lambda: kernel_that_adds(2.0))) == 3.0
    assert caching.read(file.name) is not None


def test_without_a_place_for_files_kernels_are_compiled_all_the_same(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("AUTOGRAD_LITE_CACHE", str(tmp_path / "file" / "below"))
    assert applied_to_one(building.address("nowhere", lambda: kernel_that_adds(2.0))) == 3.0


def test_processes_that_start_together_leave_one_whole_file(in_new_process, tmp_path):
    results = []
    threads = [
        threading.Thread(target=lambda: results.append(in_new_process(tmp_path))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [result.split()[0] for result in results] == ["-1.5", "-1.5"]
    assert the_file(tmp_path).suffix == ".kernel"
    assert in_new_process(tmp_path) == "-1.5 loaded"


def test_what_needs_more_than_the_library_of_mathematics_is_not_kept(empty_cache):
    """Numba brings a gamma function of its own, which a process without Numba would not find."""

    def kernel(v, g, u, gu, index, labels, first, start, stop, lanes):
        v[start] = math.gamma(v[0] + 4.0)

    assert applied_to_one(building.address("gamma", lambda: kernel)) == pytest.approx(24.0)
    assert not empty_cache.exists()


# -- where -----------------------------------------------------------------------------------------


def test_the_variable_names_the_only_directory(monkeypatch, tmp_path):
    monkeypatch.setenv("AUTOGRAD_LITE_CACHE", str(tmp_path))
    assert caching.directories() == [tmp_path]


@pytest.mark.parametrize(
    ("system", "variables", "expected"),
    [
        ("linux", {"XDG_CACHE_HOME": "{}/xdg"}, "xdg/autograd-lite"),
        ("linux", {"XDG_CACHE_HOME": "relative"}, ".cache/autograd-lite"),
        ("darwin", {}, "Library/Caches/autograd-lite"),
        ("win32", {"LOCALAPPDATA": "{}/local"}, "local/autograd-lite"),
    ],
)
def test_each_platform_has_its_place(monkeypatch, tmp_path, system, variables, expected):
    for name in ("AUTOGRAD_LITE_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    for name, value in variables.items():
        monkeypatch.setenv(name, value.format(tmp_path))
    monkeypatch.setattr(sys, "platform", system)
    assert caching.directories()[0] == tmp_path / expected


@pytest.fixture
def home_is_a_file(monkeypatch, tmp_path):
    monkeypatch.delenv("AUTOGRAD_LITE_CACHE", raising=False)
    (tmp_path / "home").write_text("")
    for name in ("HOME", "USERPROFILE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(caching.tempfile, "gettempdir", lambda: str(tmp_path / "temporary"))
    return tmp_path / "temporary"


def test_where_the_home_cannot_be_written_a_temporary_directory_serves(home_is_a_file):
    caching.write("name.kernel", b"content")
    (directory,) = home_is_a_file.iterdir()
    assert (directory / "name.kernel").exists()
    assert caching.read("name.kernel") == b"content"


@pytest.mark.skipif(sys.platform == "win32", reason="temporary files are a user's own there")
def test_a_temporary_directory_that_others_can_write_to_is_not_trusted(home_is_a_file):
    caching.write("name.kernel", b"content")
    (directory,) = home_is_a_file.iterdir()
    assert directory.stat().st_mode & 0o777 == 0o700
    directory.chmod(0o777)
    assert caching.read("name.kernel") is None
    caching.write("other.kernel", b"content")
    assert not (directory / "other.kernel").exists()


# -- in this process -------------------------------------------------------------------------------


def test_a_kernel_is_made_once_however_many_threads_ask(empty_cache):
    made = []

    def make():
        made.append(1)
        return kernel_that_adds(2.5)

    found = []
    threads = [
        threading.Thread(target=lambda: found.append(building.address("asked by threads", make)))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert len(found) == 6
    assert len(set(found)) == 1
    assert applied_to_one(found[0]) == 3.5


def test_the_type_of_numbers_is_part_of_what_a_kernel_is(empty_cache):
    def make():
        return kernel_that_adds(0.1)

    assert applied_to_one(building.address("of two types", make)) == 1.1
    single = building.address("of two types", make, "float32")
    assert applied_to_one(single, dtype=np.float32) == np.float32(1.1).item()
    names = sorted(file.name[:20] for file in empty_cache.iterdir())
    assert names == ["of-two-types-float32", "of-two-types-float64"]


def test_a_users_kernels_are_told_apart_by_their_owner_and_never_kept_on_disk(empty_cache):
    owners = [Primitive("own", lambda x: x, [lambda x, y: 1.0]) for _ in range(2)]
    found = [
        building.address("own", lambda amount=amount: kernel_that_adds(amount), owner=owner)
        for amount, owner in zip((1.0, 2.0), owners, strict=True)
    ]
    assert [applied_to_one(at) for at in found] == [2.0, 3.0]
    assert found[0] == building.address("own", lambda: kernel_that_adds(9.0), owner=owners[0])
    assert not empty_cache.exists()


def test_a_users_kernel_goes_when_its_primitive_does():
    owner = Primitive("own", lambda x: x, [lambda x, y: 1.0])
    building.address("own", lambda: kernel_that_adds(1.0), owner=owner)
    kept = len(building._own)
    del owner
    gc.collect()
    assert len(building._own) == kept - 1


@pytest.mark.parametrize(
    ("missing", "sentence"),
    [
        (["numba"], 'numba is not installed; for native speed: pip install "autograd-lite[fast]"'),
        (
            ["llvmlite", "numba"],
            "llvmlite and numba are not installed; for native speed:"
            ' pip install "autograd-lite[fast]"',
        ),
    ],
)
def test_what_is_missing_is_said_with_the_command_that_installs_it(monkeypatch, missing, sentence):
    assert building.is_available()
    assert building.why_unavailable() == ""
    for name in missing:
        monkeypatch.setitem(sys.modules, name, None)
    assert not building.is_available()
    assert building.why_unavailable() == sentence
    with pytest.raises(ImportError) as raised:
        building.address("never built", lambda: kernel_that_adds(0.0))
    assert str(raised.value) == sentence


# -- the loop over records -------------------------------------------------------------------------


def test_runs_are_done_in_order_each_in_its_space():
    """In the uniform space kernels see u and gu as their own numbers, and one lane."""

    def noting(v, g, u, gu, index, labels, first, start, stop, lanes):
        for row in range(start, stop):
            for lane in range(lanes):
                v[row * lanes + lane] = u[0] + 10.0 * g[0] + gu[0] + index[first] + labels[0]
        u[0] += lanes

    owner = Primitive("noting", lambda x: x, [lambda x, y: 1.0])
    at = building.address("noting", lambda: noting, owner=owner)
    v, g = np.zeros((3, 2)), np.full(6, 0.5)
    u, gu = np.zeros(4), np.full(4, 0.25)
    index, labels = np.array([100, 200], np.int32), np.array([1000], np.int32)
    runs = [
        convention.record(at, convention.LANES, 0, 1, 2),
        convention.record(at, convention.UNIFORM, 1, 2, 4),
        convention.record(at, convention.LANES, 1, 2, 3),
    ]
    records = np.array(runs, np.int64)
    call = convention.call(records, v=v, g=g, u=u, gu=gu, index=index, labels=labels, lanes=2)
    assert len(call) == len(convention.CALL)
    runner.runner()(call.ctypes.data)
    assert v.tolist() == [[0.0, 0.0], [1105.25, 1105.25], [1208.25, 1208.25]]
    assert u.tolist() == [5.0, 0.0, 1204.75, 1204.75]


def test_no_records_are_no_work():
    call = np.zeros(len(convention.CALL), np.int64)
    runner.runner()(call.ctypes.data)
    assert call.tolist() == [0] * len(convention.CALL)


def test_a_run_goes_through_another_call_as_often_as_it_says():
    """Each time the array that the call is about begins one number later."""

    def marking(v, g, u, gu, index, labels, first, start, stop, lanes):
        v[0] += 1.0 + first

    owner = Primitive("marking", lambda x: x, [lambda x, y: 1.0])
    at = building.address("marking", lambda: marking, owner=owner)
    v, step = np.zeros(5), np.array([8], np.int64)
    inner = np.zeros((2, convention.RECORD_LENGTH), np.int64)
    fields = convention.call(inner, v=v)
    place = fields.ctypes.data + 8 * convention.CALL.index("v")
    inner[0] = convention.record(at, convention.LANES, 4, 0, 0)
    inner[1] = runner.advance(int(place), int(step.ctypes.data))
    for times, wanted in ((0, [0.0] * 5), (3, [5.0, 5.0, 5.0, 0.0, 0.0])):
        outer = np.array([runner.nested(int(fields.ctypes.data), times)], np.int64)
        runner.runner()(convention.call(outer).ctypes.data)
        assert v.tolist() == wanted
