"""Speed of native programs, side by side with their peers in one run, one thread each.

    python -m pip install -e ".[fast]" casadi==3.8.2 jax==0.10.2 micrograd==0.1.0 torch==2.13.0
    python benchmarks/native.py
    python benchmarks/native.py --only gpt --rounds 40

gcc has to be on the path for the rows about CasADi's C. A peer that is not installed is left
out.

Every row runs its sides in turn, round after round, and prints the median of the rounds' ratios
with the smallest and the largest: the machine's speed drifts, the ratio hardly does. All sides are
first checked to give the same numbers, in float64 to 1e-9. The process stays on one processor,
where the system can do that: JAX takes a second one even if it is told to use one thread, and has
rows of its own for that. Every side has its inputs in its own
arrays before the clock starts. Garbage is collected after the clock stops; what a row says about
the collector is whether it also runs by itself. The folder `native_rows` has a file for each side.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import time
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

GROUPS = ("moons", "gpt", "irregular", "networks", "epochs", "limits")
PACKAGES = ("numpy", "numba", "llvmlite", "casadi", "torch", "jax", "jaxlib", "micrograd")
ONE_THREAD = {
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "JAX_PLATFORMS": "cpu",
}


def processor() -> str:
    """Return what the machine computes with."""
    found = ""
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        lines = listing.read_text(encoding="utf-8").splitlines()
        found = next((line.split(":")[1] for line in lines if line.startswith("model name")), "")
    return (found or platform.processor() or platform.machine()).strip()


def versions() -> str:
    found = [f"CPython {platform.python_version()}"]
    for name in PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"no {name}")
    if shutil.which("gcc"):
        shown = subprocess.run(["gcc", "--version"], capture_output=True, text=True, check=True)
        found.append(shown.stdout.splitlines()[0])
    return ", ".join(found)


def stay_on_one_processor() -> str:
    """Keep this process, and what it starts, on one processor; return what to say of it."""
    if not hasattr(os, "sched_setaffinity"):
        return ""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    return ", all on one processor"


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure native programs against their peers.")
    parser.add_argument("--only", choices=GROUPS, action="append", help="these groups of rows")
    parser.add_argument("--rounds", type=int, default=20, help="rounds in turn (default 20)")
    parser.add_argument("--quick", action="store_true", help="small sizes, one round: does it run?")
    arguments = parser.parse_args()
    os.environ.update(ONE_THREAD)  # before any of the libraries is imported
    processors = stay_on_one_processor()
    from native_rows.measuring import Options, Table

    options = Options(1 if arguments.quick else arguments.rounds, arguments.quick)
    started = time.perf_counter()
    print(f"{processor()}, {os.cpu_count()} processors, {platform.system()}\n")
    print(f"{versions()}\n\n{options.rounds} rounds in turn, one thread each{processors}.\n")
    table = Table(options)
    for group in GROUPS:
        if not arguments.only or group in arguments.only:
            import_module(f"native_rows.{group}").rows(table, options)
            print()
    print(f"{time.perf_counter() - started:.0f} s in all.")
    if table.missed:
        print("\nBelow the goal:\n")
        for what in table.missed:
            print(f"- {what}")


if __name__ == "__main__":
    main()
