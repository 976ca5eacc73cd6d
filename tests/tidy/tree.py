"""The source tree as the tidy tests see it: paths relative to its root, build directories left out."""

import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Made by tools, not written by anybody.
_NOT_SOURCE = {".git", ".cache", "__pycache__", "node_modules"}


def _is_source_folder(name):
    return name not in _NOT_SOURCE and name != "build" and not name.startswith("build-")


def files(*suffixes, under="."):
    """Paths of all files below `under` with one of the suffixes (all files without any), sorted."""
    found = []
    pending = [ROOT / under]
    while pending:
        folder = pending.pop()
        if not folder.is_dir():
            continue
        for entry in folder.iterdir():
            if entry.is_symlink():
                continue
            if entry.is_dir():
                if _is_source_folder(entry.name):
                    pending.append(entry)
            elif not suffixes or entry.suffix in suffixes:
                found.append(entry.relative_to(ROOT))
    return sorted(found)


def text(path):
    """The text of a file of the tree; octets that are not UTF-8 show as replacement characters."""
    return (ROOT / path).read_text(encoding="utf-8", errors="replace")
