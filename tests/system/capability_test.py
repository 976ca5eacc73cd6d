#!/usr/bin/env python3
"""Capability URLs, /send, /events, /metrics and /healthz of the real mbusd.

    capability_test.py FOLDER_OF_PROGRAMS

Runs in a network namespace of its own (needs root); without one it exits 77 (skipped)."""

import http.client
import json
import os
import re
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from mbws_raw import Daemon, private_network, scratch  # noqa: E402

PROGRAMS = None
JSON = {"Content-Type": "application/json"}


class CapabilityUrls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = scratch()
        toml = f'[gateway]\nenabled = true\nlisten = ["127.0.0.1:0"]\n[state]\ndirectory = "{cls.folder.name}/state"\n'
        cls.daemon = Daemon(os.path.join(PROGRAMS, "mbusd"), cls.folder.name, toml).start()
        cls.daemon.wait_for_log("gateway ready")
        cls.port = int(re.search(r"sockets=127\.0\.0\.1:(\d+)", cls.daemon.read_log()).group(1))

    @classmethod
    def tearDownClass(cls):
        cls.daemon.__exit__()
        cls.folder.cleanup()

    def call(self, method, path, body=None, headers=None):
        web = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        self.addCleanup(web.close)
        web.request(method, path, body, headers or {})
        answer = web.getresponse()
        return answer.status, answer.read().decode()

    def door(self, **grant):
        client = self.daemon.client()
        self.addCleanup(client.close)
        client.attach("(app:door)")
        client.send("grant", request=5, **grant)
        url = client.expect("ok").url
        return client, url, "/" + url.split("/", 3)[3]

    def test_a_post_reaches_the_client_and_a_reply_comes_back(self):
        client, _, path = self.door(command="door.*")
        self.assertEqual(202, self.call("POST", path, '{"command":"door.open","args":[1]}', JSON)[0])
        self.assertEqual(b"door.open(1)\r\n", client.expect("message").body)
        got = []
        asking = threading.Thread(target=lambda: got.append(self.call("POST", path, "door.state()", {"Prefer": "wait=9"})))
        asking.start()
        asked = client.expect("message")
        number = re.search(rb'"ID" "(\d+)"', asked.body).group(1)
        client.send("message", body=b'door.state.return((("ID" "' + number + b'") ("RPC-STATUS" "OK")) ((OK OK "") ("open")))', to=asked.from_)
        asking.join()
        self.assertEqual(200, got[0][0])
        self.assertEqual(["open"], json.loads(got[0][1])["results"])

    def test_a_disallowed_command_is_403_and_the_last_use_leaves_404(self):
        _, _, path = self.door(command="door.*", uses=1)
        self.assertEqual(403, self.call("POST", path, "light.on()")[0])
        self.assertEqual(202, self.call("POST", path, "door.open()")[0])
        self.assertEqual(self.call("POST", "/cap/" + "A" * 43, "door.open()"), self.call("POST", path, "door.open()"))

    def test_after_revoke_it_is_404(self):
        client, url, path = self.door()
        client.send("revoke", request=6, url=url)
        client.expect("ok")
        self.assertEqual(404, self.call("POST", path, "door.open()")[0])

    def test_the_url_is_never_logged(self):
        _, url, path = self.door()
        self.call("POST", path, "door.open(")
        self.assertNotIn(url.rsplit("/", 1)[1], self.daemon.read_log())

    def test_send_and_events_with_a_token(self):
        self.assertEqual(401, self.call("POST", "/send?to=app:door", "door.open()")[0])
        made = subprocess.run([os.path.join(PROGRAMS, "mbus"), "client", "add", "script", "--socket", self.daemon.socket],
                              capture_output=True, text=True, check=True)
        token = {"Authorization": "Bearer " + made.stdout.strip()}
        ticket = json.loads(self.call("POST", "/events/ticket", "", token)[1])["ticket"]
        web = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        self.addCleanup(web.close)
        web.request("GET", "/events?address=app:page&ticket=" + ticket)
        stream = web.getresponse()
        self.assertEqual("text/event-stream", stream.getheader("Content-Type"))
        self.assertEqual(b"event: attached\n", stream.readline())
        status, body = self.call("POST", "/send", '{"to":"app:page","command":"hi.there","reliable":true}', token | JSON)
        self.assertEqual((200, "acknowledged"), (status, json.loads(body)["result"]))
        lines = [stream.readline() for _ in range(5)]
        self.assertIn(b"event: message\n", lines)
        self.assertEqual(422, self.call("POST", "/send", '{"to":"app:nobody","command":"a","reliable":true}', token | JSON)[0])

    def test_metrics_are_well_formed_and_health_is_good(self):
        status, text = self.call("GET", "/metrics")
        self.assertEqual(200, status)
        typed = set()
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                name, kind = line.split()[2:]
                self.assertNotIn(name, typed, "one TYPE for each name")
                typed.add(name)
                self.assertEqual(kind == "counter", name.endswith("_total"), name)
            elif not line.startswith("# HELP "):
                match = re.fullmatch(r'([a-z_:][a-z0-9_:]*)(\{[a-z_]+="[^"\\]*"(?:,[a-z_]+="[^"\\]*")*\})? (\S+)', line)
                self.assertTrue(match, line)
                self.assertIn(match.group(1), typed)
                float(match.group(3))
        self.assertEqual(200, self.call("GET", "/healthz")[0])


if __name__ == "__main__":
    PROGRAMS = sys.argv.pop(1)
    if not private_network():
        sys.exit(77)
    unittest.main(verbosity=2)
