#!/usr/bin/env python3
"""mbus queue with a real mbusd, and what clients see when the disk of the daemon is full.

    queues_test.py BIN_DIR [TEST...]

Runs in a network namespace of its own (needs root); without one it says so and exits 77 (skipped)."""

import ctypes
import json
import os
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from mbws_raw import RELIABLE, Client, Closed, Daemon, private_network, scratch  # noqa: E402

BIN = None
CLONE_NEWNS = 0x20000


class WithDaemon(unittest.TestCase):
    TOML = ""

    def setUp(self):
        folder = scratch()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.state = os.path.join(self.folder, "state")
        self.prepare()
        self.daemon = Daemon(os.path.join(BIN, "mbusd"), self.folder, f'[state]\ndirectory = "{self.state}"\n{self.TOML}').start()
        self.addCleanup(self.daemon.__exit__)

    def prepare(self):
        pass

    def client(self, **fields):
        client = self.daemon.client(**fields)
        self.addCleanup(client.close)
        return client

    def reader(self, queue="jobs", window=8, **fields):
        client = self.client(window=window, expiry=0)
        client.send("attach", request=1, mode="queue", queue=queue, **fields)
        client.expect("ok")
        return client

    def sender(self):
        client = self.client()
        client.attach("(app:sender)")
        return client

    @staticmethod
    def put(sender, number, body, to="(app:jobs)"):
        """The code of the receipt; None: stored."""
        sender.send("message", number, RELIABLE, body, to=to)
        return sender.expect("receipt").fields.get("code")


class Tool(WithDaemon):
    def queue(self, *words, code=0):
        environment = dict(os.environ, MBUS_SOCKET=self.daemon.socket, MBUS=self.daemon.key, HOME=self.folder)
        done = subprocess.run([os.path.join(BIN, "mbus"), "queue", *words], text=True, capture_output=True, timeout=60,
                              env=environment, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, code, f"{words}\nstdout: {done.stdout}\nstderr: {done.stderr}")
        return done

    def test_ls_peek_purge_and_rm(self):
        reader = self.reader(window=1, entity="(app:jobs)")
        sender = self.sender()
        for number in range(1, 26):
            self.assertIsNone(self.put(sender, number, b'job (%d "text")' % number))
        reader.expect("message")
        row = json.loads(self.queue("ls", "-j").stdout)
        self.assertEqual((row["v"], row["queue"], row["waiting"], row["taken"], row["readers"], row["added"]), (1, "jobs", 24, 1, 1, 25))
        self.assertIn("app:jobs", row["entity"])
        lines = self.queue("ls").stdout.splitlines()
        self.assertEqual((lines[0].split()[0], lines[1].split()[:3]), ("QUEUE", ["jobs", "24", "1"]))
        rows = [json.loads(line) for line in self.queue("peek", "-n", "3", "-j", "jobs").stdout.splitlines()]
        self.assertEqual([row["body"] for row in rows], [f'job ({n} "text")' for n in (1, 2, 3)])
        self.assertEqual([(row["tries"], row["taken"]) for row in rows], [(1, True), (0, False), (0, False)])
        self.assertEqual(len(self.queue("peek", "jobs").stdout.splitlines()), 10)
        self.assertEqual(len(self.queue("peek", "-n", "100", "jobs").stdout.splitlines()), 25)
        self.assertIn("24", self.queue("purge", "jobs", "-v").stderr)
        reader.send("ack", 1)
        self.assertIsNone(self.put(sender, 26, b"job (26)"))
        self.assertEqual(reader.expect("message").body, b"job (26)")
        self.queue("rm", "jobs")
        self.assertEqual(self.queue("ls", "-j").stdout, "")
        self.assertEqual(self.put(sender, 27, b"job (27)"), "no-match")

    def test_all_jobs_of_a_long_queue_are_shown_once(self):
        self.reader(entity="(app:jobs)").close()
        sender = self.sender()
        for number in range(1, 251):
            self.assertIsNone(self.put(sender, number, b"job (%d)" % number))
        rows = [json.loads(line) for line in self.queue("peek", "-n", "1000", "-j", "jobs").stdout.splitlines()]
        self.assertEqual([row["body"] for row in rows], [f"job ({n})" for n in range(1, 251)])

    def test_what_makes_no_sense_is_said(self):
        self.assertIn("NAME is missing", self.queue("rm", code=2).stderr)
        self.assertIn("did you mean mbus queue peek", self.queue("pek", "jobs", code=2).stderr)
        self.assertIn("there is no queue 'none'", self.queue("purge", "none", code=1).stderr)
        self.assertIn("takes no NAME", self.queue("ls", "jobs", code=2).stderr)


class Limits(WithDaemon):
    TOML = "[limits]\nsessions_per_user = 4\n[queues]\ncount = 2\nmessages = 10\noctets = 1048576\n"

    def test_durable_sessions_that_are_away_count_and_the_newest_is_refused(self):
        away = [self.client(window=8, expiry=600, durable=1) for _ in range(4)]
        tokens = [each.connected.session for each in away]
        for each in away:
            each.close()
        for _ in range(20):
            with self.assertRaises(AssertionError) as refused:
                Client(self.daemon.socket, window=8, expiry=600, durable=1)
            self.assertIn("'limit'", str(refused.exception))
        self.daemon.stop()
        self.daemon.start()
        with self.assertRaises(AssertionError):
            Client(self.daemon.socket)
        back = self.client(window=8, expiry=600, durable=1, session=tokens[0], received=0)
        self.assertEqual(back.connected.resumed, 1)

    def test_messages_octets_and_count_of_queues_are_limited(self):
        reader = self.client(window=1, expiry=0)
        for request, name in enumerate(("jobs", "more", "third"), start=1):
            reader.send("attach", request=request, mode="queue", queue=name, entity=f"(app:{name})")
            answer = reader.next()
            self.assertEqual(answer.verb, "ok" if request < 3 else "nak")
        self.assertEqual(answer.code, "limit")
        self.assertIn("queues.count", answer.text)
        reader.close()
        sender = self.sender()
        codes = [self.put(sender, number, b"job ()") for number in range(1, 13)]
        self.assertEqual(codes, [None] * 10 + ["overflow"] * 2)
        self.assertIsNone(self.put(sender, 13, b'job ("%s")' % (b"x" * 700000), to="(app:more)"))
        self.assertEqual(self.put(sender, 14, b'job ("%s")' % (b"x" * 700000), to="(app:more)"), "overflow")


class FullDisk(WithDaemon):
    """The state directory is a file system of its own, which can be filled."""

    def prepare(self):
        os.mkdir(self.state)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m,mode=700", "tmpfs", self.state], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", self.state], check=True)

    def fill(self):
        path = os.path.join(self.state, "ballast")
        with open(path, "wb", buffering=0) as ballast:
            try:
                while True:
                    ballast.write(b"x" * 4096)
            except OSError:
                pass
        return path

    def test_senders_and_sessions_are_told_and_everything_goes_on_when_there_is_room(self):
        kept = self.client(window=64, expiry=600, durable=1)
        entity = kept.attach("(app:kept)")
        token = kept.connected.session
        self.reader(entity="(app:jobs)").close()
        sender = self.sender()
        self.assertIsNone(self.put(sender, 1, b"job (1)"))
        self.assertIsNone(self.put(sender, 2, b"a.b (1)", to=entity))
        self.assertEqual(kept.expect("message").body, b"a.b (1)")
        ballast = self.fill()
        waiting, number, began = [], 2, time.monotonic()
        while True:  # the first ones may find room in the log of the store, or wait for it
            number += 1
            sender.send("message", number, RELIABLE, b'job ("%s")' % (b"x" * 20000), to="(app:jobs)")
            try:
                receipt = sender.next(0.5)
                if receipt.fields.get("code") == "overflow":
                    break
            except TimeoutError:
                waiting.append(number)
            self.assertLess(time.monotonic() - began, 30, "nobody says that the disk is full")
        self.daemon.wait_for_log("no room for")
        self.assertEqual(self.put(sender, number + 1, b"a.b (2)", to=entity), "overflow")
        self.assertEqual(self.client(window=8, expiry=600, durable=1).connected.durable, 0)
        kept.close()
        back = Client(self.daemon.socket, connect=False)
        back.send("connect", version=1, window=64, expiry=600, durable=1, session=token, received=1)
        refused = back.expect("error")
        self.assertEqual(refused.code, "limit")
        self.assertIn("make room", refused.text)
        self.assertRaises(Closed, back.next)
        os.unlink(ballast)
        self.daemon.wait_for_log("can be written again", 20)
        settled = {sender.expect("receipt", 20).about for _ in waiting}
        self.assertEqual(settled, set(waiting))
        back = self.client(window=64, expiry=600, durable=1, session=token, received=1)
        self.assertEqual(back.connected.resumed, 1)
        self.assertIsNone(self.put(sender, number + 2, b"a.b (3)", to=entity))
        self.assertEqual(back.expect("message").body, b"a.b (3)")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    BIN = os.path.abspath(sys.argv.pop(1))
    if os.geteuid() != 0 or not private_network() or ctypes.CDLL(None).unshare(CLONE_NEWNS) != 0:
        print("skipped: needs root for namespaces of its own")
        sys.exit(77)
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    unittest.main(verbosity=2)
