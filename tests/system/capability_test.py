#!/usr/bin/env python3
"""Capability URLs, /send, /events, /metrics and /healthz of the real mbusd.

    capability_test.py FOLDER_OF_PROGRAMS

Runs in a network namespace of its own (needs root); without one it exits 77 (skipped)."""

import http.client
import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time
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

    def metrics(self):
        """What /metrics says: (name, labels) -> value. Checks the form (Prometheus, text format 0.0.4)."""
        status, text = self.call("GET", "/metrics")
        self.assertEqual(200, status)
        self.assertTrue(text.endswith("\n"))
        kinds, figures, current = {}, {}, None
        for line in text.splitlines():
            if line.startswith("# HELP "):
                current = line.split(" ", 3)[2]
                self.assertGreater(len(line.split(" ", 3)), 3, line)
                self.assertNotIn(current, kinds, "a family stands in one place")
            elif line.startswith("# TYPE "):
                name, kind = line.split(" ")[2:]
                self.assertEqual(current, name)
                self.assertEqual(kind == "counter", name.endswith("_total"), name)
                kinds[name] = kind
            else:
                match = re.fullmatch(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)', line)
                self.assertTrue(match, line)
                name, labels, value = match.groups()
                self.assertEqual(current, name)
                pairs = re.findall(r'([a-zA-Z_]\w*)="((?:[^"\\]|\\[\\"n])*)"(?:,|$)', labels or "")
                self.assertEqual(labels or "", ",".join(f'{key}="{text}"' for key, text in pairs))
                key = (name, tuple(sorted(pairs)))
                self.assertNotIn(key, figures, "a series stands once")
                figures[key] = float(value)
                if kinds[name] == "counter":
                    self.assertGreaterEqual(figures[key], 0)
        return figures

    def test_metrics_are_well_formed_and_health_is_good(self):
        reader = self.daemon.client(window=16, expiry=60)
        self.addCleanup(reader.close)
        reader.attach("(app:jobs)", mode="queue", queue="jobs")
        _, _, path = self.door()
        before = self.metrics()
        self.assertEqual(202, self.call("POST", path, "door.open()")[0])
        after = self.metrics()
        queued = ("mbusd_capability_requests_total", (("result", "queued"),))
        self.assertEqual(before[queued] + 1, after[queued])
        self.assertEqual(1, after[("mbusd_queue_readers", (("queue", "jobs"),))])
        for name in ("mbusd_store_ok", "mbusd_sessions", "mbusd_sessions_connected", "mbusd_session_queue_messages", "mbusd_links",
                     "mbusd_queues", "process_resident_memory_bytes"):
            self.assertIn((name, ()), after)
        self.assertEqual(1, after[("mbusd_store_ok", ())])
        status, text = self.call("GET", "/healthz")
        self.assertEqual((200, True, []), (status, json.loads(text)["ok"], json.loads(text)["problems"]))

    def test_whatever_is_not_valid_answers_alike_to_every_method(self):
        client, url, revoked = self.door()
        client.send("revoke", request=6, url=url)
        client.expect("ok")
        _, _, used = self.door(uses=1)
        self.assertEqual(202, self.call("POST", used, "door.open()")[0])
        for method in ("GET", "HEAD", "POST", "OPTIONS"):
            unknown = self.whole(method, "/cap/" + "A" * 43)
            self.assertEqual(unknown, self.whole(method, revoked), method)
            self.assertEqual(unknown, self.whole(method, used), method)
            if method != "OPTIONS":
                self.assertEqual(404, unknown[0], method)

    def whole(self, method, path):
        web = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        self.addCleanup(web.close)
        web.request(method, path, "door.open()" if method == "POST" else None, {"Origin": "https://page.example"})
        answer = web.getresponse()
        return answer.status, sorted(each for each in answer.getheaders() if each[0] != "Date"), answer.read()

    def test_a_page_of_another_origin_may_post_to_a_capability_url_but_not_to_send(self):
        _, _, path = self.door()
        headers = {"Origin": "https://page.example"}
        self.assertEqual(202, self.call("POST", path, "door.open()", headers)[0])
        status, fields, _ = self.whole("GET", path)
        self.assertEqual((200, True), (status, any(name == "Access-Control-Allow-Origin" for name, _ in fields)))
        status, text = self.call("POST", "/send?to=app:door", "door.open()", headers)
        self.assertEqual(403, status)
        self.assertIn("gateway.origins", text)

    def test_a_url_expires(self):
        _, _, path = self.door(expiry=1)
        deadline = time.monotonic() + 10
        while self.call("GET", path)[0] == 200:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)
        self.assertEqual(404, self.call("POST", path, "door.open()")[0])

    def test_mbus_cap_lists_and_revokes(self):
        _, url, path = self.door(command="door.*", uses=3)
        listed = self.tool("cap", "ls", "-j").stdout
        self.assertNotIn(url.rsplit("/", 1)[1], listed)
        rows = [json.loads(line) for line in listed.splitlines()]
        row = next(each for each in rows if each["uses_left"] == 3 and each["commands"] == "door.*")
        self.assertEqual((1, "door", False), (row["v"], row["entity"]["app"], row["durable"]))
        self.assertIn(row["id"], self.tool("cap", "ls").stdout)
        self.tool("cap", "revoke", row["id"])
        self.assertEqual(404, self.call("POST", path, "door.open()")[0])
        self.assertIn("mbus cap ls", self.tool("cap", "revoke", row["id"], code=1).stderr)
        self.assertIn("ID is missing", self.tool("cap", "revoke", code=2).stderr)

    def test_mbus_check_has_the_statuses_of_nagios_plugins(self):
        line = self.tool("check", "-i", "100ms", "-w", "lag=60000", "-c", "lag=60000").stdout
        self.assertRegex(line, r"^MBUS OK - mbusd is well \| drops=\S+;1;100 queue=\S+ lag=\S+ms;60000;60000 peers=\d+;;\n$")
        limits = ("-i", "100ms", "-w", "lag=60000", "-c", "lag=60000")
        self.assertIn("WARNING", self.tool("check", *limits, "-w", "peers=1000:", code=1).stdout)
        self.assertIn("peers is", self.tool("check", *limits, "-c", "peers=1000:", code=2).stdout)
        self.assertIn("expected drops", self.tool("check", "-w", "foo=1", code=3).stderr)
        answer = json.loads(self.tool("check", *limits, "--format", "json").stdout)
        self.assertEqual((1, "OK"), (answer["v"], answer["status"]))
        self.assertEqual({"drops", "queue", "lag", "peers"}, set(answer["metrics"]))
        self.assertTrue(self.tool("check", *limits, "--format", "text").stdout.startswith("OK: mbusd is well\n"))
        away = self.tool("check", "--socket", self.folder.name + "/nobody", "-q", code=2)
        self.assertIn("MBUS CRITICAL - mbusd does not answer", away.stdout)

    def test_mbus_top_prints_pictures_and_clears_a_terminal(self):
        self.door()
        plain = self.tool("top", "-n", "1", "-d", "100ms").stdout
        self.assertIn("messages/s:", plain)
        self.assertRegex(plain, r"(?m)^ +\d+  raw ")
        self.assertNotIn("\x1b", plain)
        ours, theirs = pty.openpty()
        shown = subprocess.Popen([os.path.join(PROGRAMS, "mbus"), "top", "-d", "100ms", "--socket", self.daemon.socket],
                                 stdin=theirs, stdout=theirs, stderr=theirs)
        os.close(theirs)
        self.addCleanup(os.close, ours)
        seen = b""
        while b"SESSION" not in seen:
            seen += os.read(ours, 4096)
        self.assertIn(b"\x1b[H", seen)
        os.write(ours, b"q")
        self.assertEqual(0, shown.wait(10))

    def tool(self, *words, code=0):
        words = list(words) + ([] if "--socket" in words else ["--socket", self.daemon.socket])
        done = subprocess.run([os.path.join(PROGRAMS, "mbus"), *words], capture_output=True, text=True, timeout=60)
        self.assertEqual(code, done.returncode, f"{words}: {done.stdout}{done.stderr}")
        return done


class DurableGrants(unittest.TestCase):
    def setUp(self):
        folder = scratch()
        self.addCleanup(folder.cleanup)
        toml = f'[gateway]\nenabled = true\nlisten = ["127.0.0.1:0"]\n[state]\ndirectory = "{folder.name}/state"\n'
        self.daemon = Daemon(os.path.join(PROGRAMS, "mbusd"), folder.name, toml).start()
        self.addCleanup(self.daemon.__exit__)

    call = CapabilityUrls.call

    def ready(self):
        deadline = time.monotonic() + 10
        while True:
            found = re.findall(r"sockets=127\.0\.0\.1:(\d+)", self.daemon.read_log())
            if len(found) == self.starts:
                self.port = int(found[-1])
                return
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)

    def restart(self, how):
        self.daemon.stop(how)
        self.daemon.start()
        self.starts += 1
        self.ready()

    def test_a_grant_of_a_durable_session_outlives_the_daemon(self):
        self.starts = 1
        self.ready()
        client = self.daemon.client(window=64, expiry=600, durable=1)
        self.assertEqual(1, client.connected.durable)
        token = client.connected.session
        client.attach("(app:door)")
        paths = []
        for request, more in ((5, {}), (6, {"uses": 2}), (7, {})):
            client.send("grant", request=request, **more)
            paths.append("/" + client.expect("ok").url.split("/", 3)[3])
        self.restart(signal.SIGKILL)
        client.close()
        for path in paths:
            status, text = self.call("POST", path, f"door.open({paths.index(path)})")
            self.assertEqual(202, status, text)
        self.restart(signal.SIGKILL)
        again = self.daemon.client(window=64, expiry=600, durable=1, session=token, received=0)
        self.addCleanup(again.close)
        self.assertEqual(1, again.connected.resumed)
        got = [again.expect("message").body.strip() for _ in paths]
        self.assertEqual([b"door.open(0)", b"door.open(1)", b"door.open(2)"], got)
        again.send("ack", number=3)

        again.send("grant", request=7)  # the same request: another URL in its place
        fresh = "/" + again.expect("ok").url.split("/", 3)[3]
        self.assertEqual(404, self.call("POST", paths[2], "door.open()")[0])
        self.assertEqual(202, self.call("POST", fresh, "door.open()")[0])
        self.assertEqual(202, self.call("POST", paths[1], "door.open()")[0])
        self.assertEqual(404, self.call("POST", paths[1], "door.open()")[0])
        self.restart(signal.SIGTERM)
        self.assertEqual(404, self.call("POST", paths[1], "door.open()")[0])
        self.assertEqual(202, self.call("POST", fresh, "door.open()")[0])
        last = self.daemon.client(window=64, expiry=600, durable=1, session=token, received=3)
        self.addCleanup(last.close)
        last.send("close")
        while last.next().verb != "close":
            pass
        self.assertEqual(404, self.call("POST", fresh, "door.open()")[0])
        # `close` is answered before it is stored. What is stored is so in order: an `ok` that waits for its
        # commit says that the end of the session has been written, too.
        later = self.daemon.client(window=64, expiry=600, durable=1)
        self.addCleanup(later.close)
        later.send("attach", request=1, entity="(app:later)")
        later.expect("ok")
        self.restart(signal.SIGKILL)
        self.assertEqual(404, self.call("POST", fresh, "door.open()")[0])


if __name__ == "__main__":
    PROGRAMS = sys.argv.pop(1)
    if not private_network():
        sys.exit(77)
    unittest.main(verbosity=2)
