#!/usr/bin/env python3
"""Clients over WebSocket against the real mbusd: the SDK (examples/websocket.cpp) over ws:// and wss://, also when
connections break, and the client in Python that was written from docs/mbws.md (examples/python_client.py).

    websocket_client_test.py BIN EXAMPLES_DIRECTORY PYTHON_CLIENT [TEST...]

Runs in a network namespace of its own (needs root); without one it says so and exits 77 (skipped)."""

import os
import random
import re
import socket
import struct
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from mbws_raw import RELIABLE, Daemon, private_network, scratch  # noqa: E402

BIN = EXAMPLES = PYTHON_CLIENT = None
PATIENCE = 30  # s; far more than anything here takes, also under sanitizers
MESSAGES = 2000
CUTS = 30


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def make_certificates(folder):
    """ca.pem, other-ca.pem, and a certificate of the first for localhost (not for 127.0.0.1)."""
    for name in ("ca", "other-ca"):
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN=test {name}",
                "-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.pem")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-keyout", f"{folder}/tls.key",
            "-out", f"{folder}/tls.csr")
    with open(f"{folder}/names", "w", encoding="ascii") as file:
        file.write("subjectAltName=DNS:localhost\n")
    openssl("x509", "-req", "-in", f"{folder}/tls.csr", "-CA", f"{folder}/ca.pem", "-CAkey", f"{folder}/ca.key",
            "-CAcreateserial", "-days", "2", "-extfile", f"{folder}/names", "-out", f"{folder}/tls.pem")


class CuttingProxy:
    """Passes TCP on to a port, and resets connections at random points while told so."""

    def __init__(self, port, seed):
        self.port = port
        self.random = random.Random(seed)
        self.cuts = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = self.listener.getsockname()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.port))
            left = [self.random.randrange(1500, 40000)]  # octets until the cut
            for one, other in ((client, server), (server, client)):
                threading.Thread(target=self.move, args=(one, other, left), daemon=True).start()

    def move(self, one, other, left):
        try:
            while octets := one.recv(4096):
                left[0] -= len(octets)
                if left[0] < 0 and self.cuts < CUTS:
                    self.cuts += 1
                    other.sendall(octets[:self.random.randrange(len(octets))])
                    break
                other.sendall(octets)
        except OSError:
            pass
        for each in (one, other):
            try:
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                each.shutdown(socket.SHUT_RDWR)
                each.close()
            except OSError:
                pass

    def close(self):
        self.listener.close()


class Program:
    """A client that runs beside the test; its output is read line by line."""

    def __init__(self, test, *command, **environment):
        self.process = subprocess.Popen(command, text=True, bufsize=1, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, env={**os.environ, **environment})
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

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class WebSocketClients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = scratch()
        folder = cls.folder.name
        make_certificates(folder)
        cls.port, cls.tls_port = free_port(), free_port()
        cls.daemon = Daemon(os.path.join(BIN, "mbusd"), folder,
                            f'[state]\ndirectory = "{folder}/state"\n[gateway]\nenabled = true\n'
                            f'listen = ["127.0.0.1:{cls.port}"]\ntls_listen = ["127.0.0.1:{cls.tls_port}"]\n'
                            f'tls_certificate = "{folder}/tls.pem"\ntls_key = "{folder}/tls.key"\n')
        os.makedirs(f"{folder}/state")
        cls.daemon.start()
        cls.daemon.wait_for_log("gateway ready")
        cls.token_file = f"{folder}/token"
        subprocess.run([os.path.join(BIN, "mbus"), "client", "add", "remote", "--attach", "()", "--send", "()",
                        "--output", cls.token_file], check=True, stderr=subprocess.DEVNULL,
                       env={**os.environ, "MBUS_SOCKET": cls.daemon.socket})

    @classmethod
    def tearDownClass(cls):
        cls.daemon.__exit__()
        cls.folder.cleanup()

    def example(self, url, *arguments, **environment):
        return Program(self, os.path.join(EXAMPLES, "websocket"), url, *arguments,
                       **{"MBUS_TOKEN_FILE": self.token_file, **environment})

    def local_client(self, address):
        client = self.daemon.client()
        self.addCleanup(client.close)
        client.attach(address)
        return client

    def talk(self, url, **environment):
        listener = self.example(url, **environment)
        # In full: sessions of killed programs wait for them for a minute.
        whom = re.fullmatch(r"listening as (\(app:remote id:.*\))", listener.line()).group(1)
        sender = self.example(url, whom, 'x.y("over the air")', **environment)
        self.assertRegex(sender.line(), r"^acknowledged by \(app:remote id:")
        self.assertRegex(listener.line(), r'^\(app:remote-sender id:.*\): x\.y\("over the air"\)$')
        client = self.local_client("(app:local)")
        client.send("message", to=whom, body=b"mbus.quit()")
        self.assertIn("mbus.quit()", listener.line())
        self.assertEqual(listener.process.wait(PATIENCE), 0)

    def test_ws(self):
        self.talk(f"ws://localhost:{self.port}/mbws")

    def test_wss_with_a_trusted_certificate(self):
        self.talk(f"wss://localhost:{self.tls_port}/mbws", MBUS_CA_FILE=f"{self.folder.name}/ca.pem")

    def test_wss_with_a_foreign_certificate_is_refused(self):
        program = self.example(f"wss://localhost:{self.tls_port}/mbws", MBUS_CA_FILE=f"{self.folder.name}/other-ca.pem")
        self.assertRegex(program.line(), "certificate of localhost is not accepted.*ca_file")

    def test_wss_with_a_certificate_for_another_name_is_refused(self):
        program = self.example(f"wss://127.0.0.1:{self.tls_port}/mbws", MBUS_CA_FILE=f"{self.folder.name}/ca.pem")
        self.assertRegex(program.line(), "certificate of 127.0.0.1 is not accepted.*mismatch")

    def test_ws_where_tls_is_wanted_and_the_other_way_round(self):
        self.assertRegex(self.example(f"wss://localhost:{self.port}/mbws").line(), "wrong version number|wss://")
        self.assertRegex(self.example(f"ws://localhost:{self.tls_port}/mbws").line(), "^no-daemon|^disconnected")

    def test_a_wrong_token_is_named_with_its_remedy(self):
        wrong = f"{self.folder.name}/wrong"
        with open(wrong, "w", encoding="ascii") as file:
            file.write("a" * 43 + "\n")
        line = self.example(f"ws://localhost:{self.port}/mbws", MBUS_TOKEN_FILE=wrong).line()
        self.assertRegex(line, "^unauthorized: .*mbus client add")
        self.assertNotIn("a" * 43, line)

    def test_nothing_is_lost_or_repeated_when_connections_break(self):
        seed = random.randrange(2**32)
        print(f"seed {seed}")
        proxy = CuttingProxy(self.port, seed)
        self.addCleanup(proxy.close)
        listener = self.example(f"ws://127.0.0.1:{proxy.address[1]}/mbws")
        self.assertIn("listening", listener.line())
        client = self.local_client("(app:local)")
        for number in range(MESSAGES):
            client.send("message", to="(app:remote)", body=b"n.umber(%d)" % number)
        got = [int(re.search(r"n\.umber\((\d+)\)$", listener.line()).group(1)) for _ in range(MESSAGES)]
        self.assertEqual(got, list(range(MESSAGES)))
        self.assertGreater(proxy.cuts, 0)

    def test_the_python_client(self):
        url = f"ws://localhost:{self.port}/mbws"
        local = self.local_client("(app:player)")
        program = Program(self, "/usr/bin/python3", PYTHON_CLIENT, url, "(app:python)", "(app:player)", 'player.play("a")',
                          MBUS_TOKEN_FILE=self.token_file)
        if "No module named" in (first := program.line()) or first.startswith("Traceback"):
            self.skipTest("needs python3-websockets")
        self.assertRegex(first, r"^attached as \(app:python id:")
        came = local.expect("message")
        self.assertEqual(came.body, b'player.play("a")')
        self.assertTrue(came.flags & RELIABLE)
        self.assertRegex(program.line(), r"^message 1 acknowledged by \(app:player id:")
        for number in range(1, 401):  # more than a window
            local.send("message", to="(app:python)", body=b"n.umber(%d)" % number)
        for number in range(1, 401):
            self.assertRegex(program.line(), rf"^\(app:player id:.*\) n\.umber\({number}\)$")


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    BIN, EXAMPLES, PYTHON_CLIENT = sys.argv[1:4]
    if os.geteuid() != 0 or not private_network():
        print("needs root for a network namespace")
        sys.exit(77)
    unittest.main(argv=[sys.argv[0], *sys.argv[4:]], verbosity=2)
