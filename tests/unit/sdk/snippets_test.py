#!/usr/bin/env python3
"""Every C++, C and CMake snippet of docs/sdk.md stands, apart from indentation, in a file that is built.

    snippets_test.py SOURCE_DIR"""

import pathlib
import re
import sys


def lines(text):
    return [line.strip() for line in text.splitlines() if line.strip()]


def main(source):
    root = pathlib.Path(source)
    built = [path for folder in ("examples", "tests/package/sdk_consumer") for path in sorted((root / folder).iterdir())]
    texts = ["\n".join(lines(path.read_text())) for path in built if path.is_file()]
    missing = 0
    snippets = re.findall(r"^```(cpp|c|cmake)\n(.*?)^```", (root / "docs/sdk.md").read_text(), re.M | re.S)
    for language, snippet in snippets:
        # CMake lines may stand apart in the project that is built.
        pieces = lines(snippet) if language == "cmake" else ["\n".join(lines(snippet))]
        for piece in pieces:
            if not any(piece in text for text in texts):
                missing += 1
                print(f"docs/sdk.md: this snippet is in no example:\n{piece}\n", file=sys.stderr)
    print(f"{len(snippets)} snippets, {missing} missing")
    return 1 if missing or not snippets else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
