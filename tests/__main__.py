"""The proof, in order: style, unit and property tests, build, pages, second run with the exercises' solutions, browser.

``python -m tests`` runs it all and ends with how many tests passed and how long the ten slowest took. The first stage
that fails ends the run.
"""

import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from tests.pages import BUILD

REPORTS = Path("_build/reports")
TWO_AT_A_TIME = ["-n", "2", "--dist", "loadfile"]  # a file's tests, and a notebook's cells, stay together and in order
APART = ["--dist", "worksteal"]  # each test may go to either core; what a file shares is mostly made once
STAGES = {
    "style": [sys.executable, "-m", "ruff", "check", "."],
    "unit": ["pytest", "tests/unit", "tests/property", "tests/exercises"],
    "build": BUILD,
    "executed": [sys.executable, "-m", "tests.notebooks.executed"],
    "book": ["pytest", "tests/book"],
    "notebooks": ["pytest", "-p", "tests.notebooks.strict", "--nbval", "--nbval-current-env", "_build/executed"],
    "site": ["pytest", *APART, "tests/site"],
}


def main():
    """Run the stages and return the exit status of the first that fails."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # these three as in the Makefile, which says why
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")  # a core for each page, in the build and in the second run
    REPORTS.mkdir(parents=True, exist_ok=True)
    for report in REPORTS.glob("*.xml"):
        report.unlink()
    for stage, command in STAGES.items():
        print(f"\n──── {stage} ────", flush=True)
        if command[0] == "pytest":
            report = f"--junitxml={REPORTS / stage}.xml"
            command = [sys.executable, "-m", "pytest", "-q", *TWO_AT_A_TIME, *command[1:], report]
        started = time.perf_counter()
        status = subprocess.run(command).returncode
        print(f"──── {stage}: {time.perf_counter() - started:.0f} s ────", flush=True)
        if status:
            summarise()
            print(f"The stage “{stage}” failed.")
            return status
    summarise()
    return 0


def summarise():
    """Print the ten slowest tests, how many passed, and how long those ten took together."""
    cases = [case for report in sorted(REPORTS.glob("*.xml")) for case in ElementTree.parse(report).iter("testcase")]
    failed = sum(case.find("failure") is not None or case.find("error") is not None for case in cases)
    skipped = sum(case.find("skipped") is not None for case in cases)
    slowest = sorted(cases, key=lambda case: -float(case.get("time", 0)))[:10]
    print("\nThe ten slowest tests:")
    for case in slowest:
        print(f"{float(case.get('time')):7.1f} s  {case.get('classname')}::{case.get('name')}")
    total = sum(float(case.get("time")) for case in slowest)
    print(f"\nThe ten slowest tests took {total:.0f} s of all.")
    print(f"{len(cases) - failed - skipped} passed, {failed} failed, {skipped} skipped")


if __name__ == "__main__":
    sys.exit(main())
