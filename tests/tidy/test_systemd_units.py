"""The systemd units are sandboxed as docs/decisions promises, and lack nothing that mbusd needs."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import tree

# `systemd-analyze security` times ten: 20 is 2.0 of 10.
EXPOSURE_MAX = 20


def unit(name):
    """The text of a unit as it is installed, with programs that exist on this machine."""
    path = tree.ROOT / "packaging/systemd" / name
    if path.is_file():
        return path.read_text(encoding="utf-8")
    text = (path.parent / (name + ".in")).read_text(encoding="utf-8")
    text = re.sub(r"@MBUS_BINDIR@/\w+", "/bin/true", text)
    return text.replace("@MBUS_CONFDIR@", "/etc/mbusd")


def settings(text, name):
    return [line.split("=", 1)[1] for line in text.splitlines() if line.startswith(name + "=")]


class systemd_units(unittest.TestCase):
    def test_mbusd_may_use_the_sockets_that_it_needs_and_no_others(self):
        families = " ".join(settings(unit("mbusd.service"), "RestrictAddressFamilies")).split()
        self.assertEqual(["AF_INET", "AF_INET6", "AF_NETLINK", "AF_UNIX"], sorted(families))

    def test_mbusd_sees_who_its_clients_are(self):
        self.assertEqual([], settings(unit("mbusd.service"), "PrivateUsers"))
        self.assertEqual(["0666"], settings(unit("mbusd.socket"), "SocketMode"))

    def test_the_service_runs_as_the_user_that_sysusers_makes(self):
        users = (tree.ROOT / "packaging/sysusers.d/mbusd.conf").read_text(encoding="utf-8")
        made = {line.split()[1] for line in users.splitlines() if line and not line.startswith("#")}
        self.assertEqual({"mbusd", "mbus-users", "mbus-admin"}, made)
        self.assertEqual(["mbusd"], settings(unit("mbusd.service"), "User"))

    @unittest.skipUnless(shutil.which("systemd-analyze"), "systemd-analyze is not installed")
    def test_the_exposure_of_each_service_is_at_most_2_0(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in ("mbusd.service", "mbusd-key.service"):
                path = pathlib.Path(folder) / name
                path.write_text(unit(name), encoding="utf-8")
                done = subprocess.run(
                    ["systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE_MAX}", path],
                    capture_output=True,
                    text=True,
                    env={**os.environ, "SYSTEMD_COLORS": "0", "SYSTEMD_PAGER": ""},
                )
                last = done.stdout.strip().splitlines()[-1:] or [done.stderr]
                with self.subTest(unit=name):
                    self.assertEqual(0, done.returncode, last[0])


if __name__ == "__main__":
    unittest.main()
