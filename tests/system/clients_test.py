#!/usr/bin/env python3
"""Tokens of clients with a real mbusd: made, used at the gateway, kept across kill -9, withdrawn.

    clients_test.py BIN_DIR [TEST...]

Runs in a network namespace of its own (needs root); without one it says so and exits 77 (skipped)."""

import glob
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from mbws_raw import Daemon, private_network, scratch  # noqa: E402

BIN = None
PORT = 8407  # of the namespace, which is ours alone
TOML = """
[state]
directory = "{folder}/state"
[gateway]
enabled = true
listen = ["127.0.0.1:%d"]
""" % PORT


class Clients(unittest.TestCase):
    def setUp(self):
        folder = scratch()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.daemon = Daemon(os.path.join(BIN, "mbusd"), self.folder, TOML.format(folder=self.folder)).start()
        self.addCleanup(self.daemon.__exit__)
        self.environment = dict(os.environ, MBUS_SOCKET=self.daemon.socket, MBUS=self.daemon.key, HOME=self.folder)

    def client(self, *words, code=0):
        done = subprocess.run([os.path.join(BIN, "mbus"), "client", *words], text=True, capture_output=True, timeout=60,
                              env=self.environment, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, code, f"{words}\nstdout: {done.stdout}\nstderr: {done.stderr}")
        return done

    def upgrade(self, token):
        """The status of a WebSocket handshake."""
        with socket.create_connection(("127.0.0.1", PORT), timeout=20) as link:
            link.sendall((f"GET /mbws HTTP/1.1\r\nHost: 127.0.0.1:{PORT}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                          f"Sec-WebSocket-Protocol: mbws\r\nAuthorization: Bearer {token}\r\n\r\n").encode())
            return int(link.recv(4096).split()[1])

    def test_given_a_token_then_it_works_after_kill_9_and_not_after_rm(self):
        token = self.client("add", "page").stdout.strip()
        self.assertRegex(token, r"^[A-Za-z0-9_-]{43}$")
        self.assertEqual(self.upgrade(token), 101)
        self.assertEqual(self.upgrade("A" * 43), 401)
        self.daemon.stop(signal.SIGKILL)
        self.daemon.start()
        self.assertEqual(self.upgrade(token), 101)
        self.client("rm", "page")
        self.assertEqual(self.upgrade(token), 401)
        self.daemon.stop(signal.SIGKILL)
        self.daemon.start()
        self.assertEqual(self.upgrade(token), 401)
        self.assertEqual(self.client("ls").stdout, "")

    def test_the_token_is_on_stdout_alone_and_nowhere_else(self):
        token = self.client("add", "page", "-v").stdout.strip()
        self.daemon.stop()
        kept = b"".join(open(name, "rb").read() for name in glob.glob(f"{self.folder}/state/*"))
        self.assertIn(b"page", kept)
        self.assertNotIn(token.encode(), kept)
        self.assertNotIn(token, self.daemon.read_log())
        for name in glob.glob(f"{self.folder}/state/mbusd.db*"):
            self.assertEqual(stat.S_IMODE(os.stat(name).st_mode), 0o600)

    def test_a_name_is_taken_until_replace(self):
        first = self.client("add", "page").stdout.strip()
        self.assertIn("--replace", self.client("add", "page", code=6).stderr)
        second = self.client("add", "page", "--replace").stdout.strip()
        self.assertNotEqual(first, second)
        self.assertEqual(self.upgrade(first), 401)
        self.assertEqual(self.upgrade(second), 101)

    def test_rights_are_listed_and_a_file_takes_the_token(self):
        path = f"{self.folder}/door.token"
        done = self.client("add", "door", "--attach", "app:door", "--send", "app:house", "--monitor", "--expires", "30", "-o", path)
        self.assertEqual(done.stdout, "")
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        self.assertTrue(re.fullmatch(r"[A-Za-z0-9_-]{43}\n", open(path).read()))
        row = json.loads(self.client("ls", "-j").stdout)
        self.assertEqual((row["v"], row["client"], row["attach"], row["send"]), (1, "door", ["(app:door)"], ["(app:house)"]))
        self.assertEqual((row["monitor"], row["administer"]), (True, False))
        self.assertRegex(row["expires"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertIn("door", self.client("ls").stdout)
        token = json.loads(self.client("add", "other", "-j").stdout)["token"]
        self.assertEqual(len(token), 43)

    def test_what_makes_no_sense_is_said(self):
        self.assertIn("1 to 64", self.client("add", "a b", code=2).stderr)
        self.assertIn("NAME is missing", self.client("rm", code=2).stderr)
        self.assertIn("did you mean mbus client add", self.client("ad", "x", code=2).stderr)
        self.assertIn("there is no client nobody", self.client("rm", "nobody", code=1).stderr)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    BIN = os.path.abspath(sys.argv.pop(1))
    if os.geteuid() != 0 or not private_network():
        print("skipped: needs root for a network namespace")
        sys.exit(77)
    unittest.main(verbosity=2)
