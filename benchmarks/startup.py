"""Seconds to import the package and to print the help: whole processes, median of runs.

python benchmarks/startup.py [--runs 11]
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import time

COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "import tradespace": ["-c", "import tradespace"],
    "tradespace --help": ["-m", "tradespace", "--help"],
    "tradespace list qualities": ["-m", "tradespace", "list", "qualities"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=11)
    runs = parser.parse_args().runs
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in COMMANDS}
    for _ in range(runs):
        for name, arguments in COMMANDS.items():
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            start = time.perf_counter()
            subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
            wall = time.perf_counter() - start
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            times[name].append((wall, cpu))
    for name, found in times.items():
        walls, cpus = zip(*found, strict=True)
        print(
            f"{name:<28} wall min {min(walls):.3f} median {statistics.median(walls):.3f} max "
            f"{max(walls):.3f} s, CPU median {statistics.median(cpus):.3f} s"
        )


if __name__ == "__main__":
    main()
