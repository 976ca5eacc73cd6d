"""Shell scripts parse, and shellcheck (where it is installed) finds nothing in them."""

import shutil
import subprocess
import unittest

import tree


def scripts():
    """(path, interpreter) of every shell script of the tree."""
    for path in tree.files():
        if path.suffix in ("", ".sh", ".postinst", ".prerm", ".postrm"):
            with open(tree.ROOT / path, "rb") as file:
                first = file.readline(80).decode("ascii", "replace")
            if first.startswith("#!") and first.split("/")[-1].split()[-1] in ("sh", "bash"):
                yield path, first.split("/")[-1].split()[-1]


class shell_scripts(unittest.TestCase):
    def test_dev_is_a_plain_sh_script(self):
        self.assertIn(("dev", "sh"), [(str(path), shell) for path, shell in scripts()])

    def test_each_script_parses(self):
        for path, shell in scripts():
            with self.subTest(script=str(path)):
                done = subprocess.run([shell, "-n", path], cwd=tree.ROOT, capture_output=True, text=True)
                self.assertEqual(0, done.returncode, done.stderr)

    @unittest.skipUnless(shutil.which("shellcheck"), "shellcheck is not installed")
    def test_shellcheck_finds_nothing(self):
        for path, _ in scripts():
            with self.subTest(script=str(path)):
                done = subprocess.run(["shellcheck", path], cwd=tree.ROOT, capture_output=True, text=True)
                self.assertEqual(0, done.returncode, done.stdout)


if __name__ == "__main__":
    unittest.main()
