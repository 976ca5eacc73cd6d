#!/usr/bin/env python3
"""Every example of examples/ against the real mbusd.

    examples_test.py MBUSD EXAMPLES_DIRECTORY [TEST...]

Runs in a network namespace of its own (needs root); without one it says so and exits 77 (skipped)."""

import os
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from mbws_raw import RELIABLE, Daemon, private_network, scratch  # noqa: E402

MBUSD = EXAMPLES = None
PATIENCE = 20  # s; far more than anything here takes, also under sanitizers


class Program:
    """An example that runs beside the test; its output is read line by line."""

    def __init__(self, test, name, *arguments):
        self.process = subprocess.Popen([os.path.join(EXAMPLES, name), *arguments], text=True, bufsize=1,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        test.addCleanup(self.end)

    def line(self):
        """The next line; fails the test instead of waiting for ever."""
        timer = threading.Timer(PATIENCE, self.process.kill)
        timer.start()
        try:
            text = self.process.stdout.readline()
        finally:
            timer.cancel()
        assert text, f"the program ended or said nothing for {PATIENCE} s"
        return text.rstrip("\n")

    def rest(self):
        output, _ = self.process.communicate(timeout=PATIENCE)
        return output

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream:
                stream.close()


class Examples(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = scratch()
        state = os.path.join(cls.folder.name, "state")
        cls.daemon = Daemon(MBUSD, cls.folder.name, f'[state]\ndirectory = "{state}"\n').start()
        os.environ["MBUS_SOCKET"] = cls.daemon.socket

    @classmethod
    def tearDownClass(cls):
        cls.daemon.__exit__()
        cls.folder.cleanup()

    def run_one(self, name, *arguments, status=0):
        done = subprocess.run([os.path.join(EXAMPLES, name), *arguments], text=True, timeout=PATIENCE,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.assertEqual(done.returncode, status, done.stdout)
        return done.stdout

    def test_hello(self):
        listener = Program(self, "hello_listener", "2")
        self.assertRegex(listener.line(), r"^listening as \(app:b id:")
        self.assertRegex(self.run_one("hello_sender"), r"^acknowledged by \(app:b id:.* after 1 transmission")
        self.assertRegex(listener.line(), r'^\(app:hello-sender id:.*\) demo\.text\("hello" 1 2\.5 sym\)$')
        self.assertRegex(listener.line(), r'demo\.text\("reliably"\)$')
        listener.rest()
        self.assertEqual(listener.process.returncode, 0)

    def test_hello_without_a_receiver_says_so(self):
        self.assertIn("no-match", self.run_one("hello_sender", status=1))

    def test_without_a_daemon_the_way_out_is_said(self):
        was, os.environ["MBUS_SOCKET"] = os.environ["MBUS_SOCKET"], "/nonexistent/mbusd.sock"
        try:
            self.assertIn("no daemon at /nonexistent/mbusd.sock; start it with: systemctl start mbusd",
                          self.run_one("hello_sender", status=1))
        finally:
            os.environ["MBUS_SOCKET"] = was

    def test_request_reply(self):
        server = Program(self, "request_reply", "serve")
        self.assertEqual(server.line(), "serving")
        lines = self.run_one("request_reply").splitlines()
        self.assertEqual(lines[0], "mixer.set -> (42)")
        self.assertEqual(lines[1], "mixer.get -> (42)")
        self.assertIn("mixer.set needs a gain from 0 to 100", lines[2])

    def test_queue_worker(self):
        worker = Program(self, "queue_worker", "work")
        self.assertRegex(worker.line(), r"^reading as \(app:work id:")
        sender = self.daemon.client()
        self.addCleanup(sender.close)
        sender.attach("(app:boss)")
        for number, job in enumerate((b"do (1)", b"fail ()", b"do (2)"), start=1):
            sender.send("message", number, RELIABLE, job, to="(app:work)")
            self.assertNotIn("code", sender.expect("receipt").fields)
        lines = [worker.line() for _ in range(7)]
        self.assertEqual([line for line in lines if not line.startswith("fail")], ["do(1)", "do(2)"])
        self.assertEqual([line for line in lines if line.startswith("fail")], ["fail()"] + ["fail() again"] * 4)
        dead = self.daemon.client(window=1, expiry=0)
        self.addCleanup(dead.close)
        dead.send("attach", request=1, mode="queue", queue="work.dead")
        dead.expect("ok")
        self.assertEqual(dead.expect("message").body.rstrip(), b"fail ()")

    def test_c(self):
        listener = Program(self, "hello_listener", "2")
        listener.line()
        output = self.run_one("hello")
        self.assertRegex(output, r"^attached as \(app:hello id:")
        self.assertIn("acknowledged by (app:b id:", output)
        self.assertRegex(listener.line(), r'hello\.world\("from C"\)$')
        self.assertRegex(listener.line(), r'hello\.world\("reliably"\)$')

    def test_foreign_loop(self):
        first, second = Program(self, "foreign_loop"), Program(self, "foreign_loop")
        client = self.daemon.client()
        self.addCleanup(client.close)
        client.attach("(app:watcher)")
        self.wait_until_two_chat(client)
        first.process.stdin.write("good morning\n")
        self.assertRegex(second.line(), r'^\(app:chat id:.*\): "good morning"$')
        second.process.stdin.write("and to you\n")
        self.assertRegex(first.line(), r'"and to you"$')
        for chat in (first, second):
            chat.rest()
            self.assertEqual(chat.process.returncode, 0)

    def wait_until_two_chat(self, client):
        client.send("watch", request=7, to="(app:chat)")
        there = 0
        while there < 2:
            frame = client.next()
            there += frame.verb == "entity" and frame.state in ("present", "joined")

    def test_coroutine(self):
        player = Program(self, "coroutine")
        self.assertRegex(player.line(), r"^waiting as \(app:player id:")
        client = self.daemon.client()
        self.addCleanup(client.close)
        client.attach("(app:conductor)")
        client.send("message", number=1, flags=RELIABLE, to="(app:player)", body=b"mbus.go(ready)")
        self.assertEqual(player.line(), "playing")
        client.send("message", to="(app:player)", body=b"hello.you()")
        self.assertEqual(player.line(), "hello.you answered")
        client.send("message", to="(app:player)", body=b"mbus.quit()")
        player.rest()
        self.assertEqual(player.process.returncode, 0)

    def test_asio(self):
        if not os.path.exists(os.path.join(EXAMPLES, "asio_listener")):
            self.skipTest("built without Boost.Asio")
        listener = Program(self, "asio_listener", "1")
        self.assertRegex(listener.line(), r"^listening as \(app:asio id:")
        client = self.daemon.client()
        self.addCleanup(client.close)
        client.attach("(app:sender)")
        client.send("message", to="(app:asio)", body=b"x.y(1)")
        self.assertRegex(listener.line(), r"^\(app:sender id:.*\) x\.y\(1\)")
        listener.rest()
        self.assertEqual(listener.process.returncode, 0)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    MBUSD, EXAMPLES = sys.argv[1], sys.argv[2]
    if os.geteuid() != 0 or not private_network():
        print("needs root for a network namespace")
        sys.exit(77)
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2)
