"""Build the book with the newest versions that requirements.in allows, and print what changed: ``make fresh``.

The environment and the book lie in a temporary folder; the pinned ones are only compared with.
"""

import difflib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from bs4 import BeautifulSoup

ROOT = Path(__file__).parents[2]


def versions(python):
    """Return the installed packages of an environment, from name to version."""
    listing = subprocess.run([python, "-m", "pip", "list", "--format=freeze"], check=True, capture_output=True,
                             text=True).stdout
    return dict(line.split("==") for line in listing.splitlines() if "==" in line)


def outputs(site):
    """Return what the cells of each built page printed and drew: text, and the names of pictures (their checksums)."""
    found = {}
    for page in sorted(Path(site).glob("book/**/*.html")):
        soup = BeautifulSoup(page.read_bytes(), "html.parser")
        lines = []
        for cell in soup.select(".cell_output"):
            lines += [f"figure {Path(one['src']).stem[:12]}" for one in cell.select("img[src]")]
            lines += cell.get_text().splitlines()
        found[page.relative_to(site).as_posix()] = [line for line in lines if line.strip()]
    return found


def changes(before, after):
    """Return sentences that say which packages, or which outputs, differ."""
    names = sorted(set(before) | set(after))
    return [f"{name}: {before.get(name, 'none')} → {after.get(name, 'none')}" for name in names
            if before.get(name) != after.get(name)]


def report(before, after):
    """Return lines that say what the cells of each page print and draw differently."""
    lines = []
    for page in sorted(set(before) | set(after)):
        old, new = before.get(page, []), after.get(page, [])
        moved = [line for line in difflib.unified_diff(old, new, lineterm="", n=0)
                 if not re.match(r"---|\+\+\+|@@", line)]
        if moved:
            lines += [f"{page}: {len(moved)} lines", *(f"    {line[:110]}" for line in moved[:8])]
    return lines


def main():
    with tempfile.TemporaryDirectory(prefix="fresh-") as folder:
        tree, environment = Path(folder) / "tree", Path(folder) / "environment"
        shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(".git", ".venv", "_build", "*.egg-info", ".*_cache"))
        subprocess.run([sys.executable, "-m", "venv", environment], check=True)
        python = environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--upgrade", "-r", "requirements.in"], cwd=tree,
                       check=True)
        moved = changes(versions(sys.executable), versions(python))
        print("\nVersions that changed:", *(moved or ["none"]), sep="\n  ")
        command = environment / python.parent.name / "jupyter-book"
        built = subprocess.run([command, "build", "-n", "-W", "--keep-going", "."], cwd=tree)
        print("\nOutputs that changed:", *(report(outputs(ROOT / "_build/html"), outputs(tree / "_build/html"))
                                            or ["none"]), sep="\n  ")
        print(f"\nThe fresh book {'was built' if built.returncode == 0 else 'was not built without warnings'}.")
    return built.returncode


if __name__ == "__main__":
    sys.exit(main())
