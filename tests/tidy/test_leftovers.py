"""Nothing unfinished and nothing accidental is left in the tree."""

import re
import unittest

import tree

# In two parts, so that this file does not find itself.
_UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")
_TEXT = (
    ".c .cmake .cpp .h .hpp .in .js .json .md .py .scd .service .sh .socket .toml .ts .txt .yml".split()
)
# Recorded datagrams and vectors are data, octet for octet.
_DATA = ("tests/vectors/", "fuzz/corpus/")


def sources():
    for path in tree.files():
        if str(path).startswith(_DATA):
            continue
        if path.suffix in _TEXT or path.name in ("dev", "run"):
            yield path


class leftovers(unittest.TestCase):
    def lines_with(self, pattern):
        found = []
        for path in sources():
            for number, line in enumerate(tree.text(path).splitlines(), 1):
                if pattern.search(line):
                    found.append(f"{path}:{number}: {line.strip()[:100]}")
        return found

    def test_nothing_is_marked_as_unfinished(self):
        found = self.lines_with(_UNFINISHED)
        self.assertEqual([], found, "\n" + "\n".join(found))

    def test_no_line_is_left_of_a_merge_conflict(self):
        found = self.lines_with(re.compile(r"^(<{7}|>{7}) "))
        self.assertEqual([], found, "\n" + "\n".join(found))

    def test_every_text_ends_with_a_line_end_and_has_no_carriage_return(self):
        found = []
        for path in sources():
            octets = (tree.ROOT / path).read_bytes()
            if octets and not octets.endswith(b"\n"):
                found.append(f"{path}: no line end at the end")
            if b"\r" in octets:
                found.append(f"{path}: carriage returns")
        self.assertEqual([], found, "\n" + "\n".join(found))


if __name__ == "__main__":
    unittest.main()
