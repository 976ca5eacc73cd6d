"""What the documents name exists: files, links, commands of ./dev, the version, tests of the RFC's map."""

import fnmatch
import os
import re
import subprocess
import tempfile
import unittest

import tree

_LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
# `core/protocol/node.cpp`: a path of the tree in code quotes.
_PATH = re.compile(r"`((?:core|daemon|sdk|tools|tests|docs|json|bench|fuzz|packaging|examples|cmake)/[\w./-]+\.\w+)`")


def documents():
    return [path for path in tree.files(".md") if path.parts[0] != "tests" or path.parts[1] != "vectors"]


class documents_are_true(unittest.TestCase):
    def test_each_link_leads_somewhere(self):
        broken = []
        for path in documents():
            for target in _LINK.findall(tree.text(path)):
                if re.match(r"[a-z]+:", target):
                    continue
                if not (tree.ROOT / path.parent / target).exists():
                    broken.append(f"{path}: {target}")
        self.assertEqual([], broken, "\n" + "\n".join(broken))

    def test_each_quoted_path_exists(self):
        broken = []
        for path in documents():
            for target in _PATH.findall(tree.text(path)):
                if not (tree.ROOT / target).exists():
                    broken.append(f"{path}: {target}")
        self.assertEqual([], broken, "\n" + "\n".join(broken))

    def test_each_command_of_dev_that_a_document_names_exists(self):
        usage = subprocess.run(["./dev", "help"], cwd=tree.ROOT, capture_output=True, text=True, check=True).stdout
        known = set(re.findall(r"^  ([a-z]+)\b", usage, re.MULTILINE))
        self.assertIn("demo", known)
        for path in documents():
            named = set(re.findall(r"\./dev ([a-z]+)\b", tree.text(path)))
            with self.subTest(document=str(path)):
                self.assertLessEqual(named, known)

    def test_the_changelog_names_the_version(self):
        cmake = tree.text("CMakeLists.txt")
        version = re.search(r"project\(mbusd VERSION ([\d.]+)", cmake).group(1)
        changelog = tree.text("CHANGELOG.md")
        self.assertIn("## [Unreleased]", changelog)
        self.assertIn(f"## [{version}]", changelog)

    def test_the_default_configuration_shows_every_setting(self):
        table = tree.text("daemon/config/key_table.cpp")
        shown = set()
        section = ""
        for line in tree.text("packaging/mbusd.toml").splitlines():
            if match := re.match(r"\[(\w+)\]$", line):
                section = match.group(1)
            elif match := re.match(r"#?(\w+) = ", line):
                shown.add(f"{section}.{match.group(1)}")
        settings = set(re.findall(r'\.name = "([a-z_.]+)"', table))
        self.assertGreater(len(settings), 10)
        self.assertEqual([], sorted(settings - shown))


class the_map_of_rfc_3259(unittest.TestCase):
    """docs/rfc3259.md: rows of clause, demand, code, test; items of the checklist behind the tests."""

    def setUp(self):
        self.document = tree.text("docs/rfc3259.md")
        self.tree = [str(path) for path in tree.files()]

    def named(self, quoted):
        """Files of the tree that a name in code quotes means: a path, the end of one, or a pattern."""
        return [path for path in self.tree if fnmatch.fnmatch("/" + path, "*/" + quoted)]

    def rows(self):
        """(code, test) cells of every row whose first cell cites a section."""
        for line in self.document.splitlines():
            cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
            if line.startswith("|") and len(cells) == 4 and "§" in cells[0]:
                yield cells[2], cells[3]

    def test_each_file_that_it_names_exists(self):
        self.assertGreater(len(list(self.rows())), 20)
        missing = set()
        for cells in self.rows():
            for quoted in re.findall(r"`([\w./*-]+\.(?:cpp|hpp|py|\*))`", " ".join(cells)):
                if not self.named(quoted):
                    missing.add(quoted)
        self.assertEqual([], sorted(missing))

    def test_each_item_behind_a_test_is_cited_by_the_tests_of_that_row(self):
        missing = []
        for _, tests in self.rows():
            files = [path for quoted in re.findall(r"`([^`]+)`", tests) for path in self.named(quoted.rstrip("/"))]
            files += [p for quoted in re.findall(r"`([^`]+/)`", tests) for p in self.tree if p.startswith(quoted)]
            if not files:
                continue  # "the tests of these": named in other rows
            source = "\n".join(tree.text(path) for path in files)
            for group in re.findall(r"\((?:items )?([\d–, ]+)\)", tests):
                for first, last in re.findall(r"(\d+)(?:–(\d+))?", group):
                    for number in range(int(first), int(last or first) + 1):
                        if f"[item {number}]" not in source:
                            missing.append(f"{number}: {tests[:80]}")
        self.assertEqual([], missing, "\n" + "\n".join(missing))


@unittest.skipUnless(os.environ.get("MBUSD"), "mbusd is not part of this build")
class the_default_configuration(unittest.TestCase):
    """packaging/mbusd.toml, read by the daemon itself."""

    def daemon(self, *arguments):
        return subprocess.run([os.environ["MBUSD"], *arguments], capture_output=True, text=True, timeout=60)

    def printed(self, text):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "mbusd.toml")
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            done = self.daemon("--config", path, "--print-config")
            self.assertEqual(0, done.returncode, done.stderr)
            lines = done.stdout.splitlines()
            return [re.sub(r"\s+#.*", "", line) for line in lines if not line.startswith("#")]

    def test_the_values_behind_the_comment_signs_are_the_defaults(self):
        shipped = tree.text("packaging/mbusd.toml")
        active = re.sub(r"(?m)^#(?=\w+ = |\[\[)", "", shipped)
        self.assertNotEqual(shipped, active)
        self.assertEqual(self.printed(""), self.printed(shipped))
        self.assertEqual(self.printed(""), self.printed(active))


if __name__ == "__main__":
    unittest.main()
