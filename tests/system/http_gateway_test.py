#!/usr/bin/env python3
"""The HTTP gateway of the real mbusd, spoken to octet by octet (docs/gateway.md).

    http_gateway_test.py MBUSD [TEST...]

Runs in a network namespace of its own (needs root); without one it says so and exits 77 (skipped)."""

import os
import re
import signal
import socket
import ssl
import stat
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from mbws_raw import Daemon, private_network, scratch  # noqa: E402

MBUSD = None


def certificate(folder, days=30):
    """A self-signed pair for localhost; again: a renewal of the same files."""
    made = [os.path.join(folder, name) for name in ("cert.pem", "key.pem")]
    fresh = [path + ".new" for path in made]
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", str(days),
                    "-keyout", fresh[1], "-out", fresh[0]], check=True, capture_output=True)
    for old, new in zip(made, fresh):
        os.rename(new, old)
    return made


class Web:
    """One connection."""

    def __init__(self, where, tls=None, timeout=20):
        if isinstance(where, str):
            self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.socket.connect(where)
        else:
            self.socket = socket.create_connection(where)
        self.socket.settimeout(timeout)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname="localhost")
        self.held = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, text):
        self.socket.sendall(text.encode())
        return self

    def request(self, line, *headers, host="localhost"):
        return self.send("\r\n".join([f"{line} HTTP/1.1", f"Host: {host}", *headers, "", ""]))

    def more(self):
        got = self.socket.recv(65536)
        self.held += got
        return bool(got)

    def answer(self, body=True):
        """(status, headers in lower case, body) of the next answer."""
        while b"\r\n\r\n" not in self.held:
            if not self.more():
                raise EOFError(self.held)
        head, self.held = self.held.split(b"\r\n\r\n", 1)
        first, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        size = int(headers.get("content-length", 0)) if body else 0
        while len(self.held) < size:
            if not self.more():
                raise EOFError(self.held)
        octets, self.held = self.held[:size], self.held[size:]
        return int(first.split()[1]), headers, octets.decode()

    def ended(self):
        try:
            while self.more():
                pass
        except ConnectionError:
            pass
        return True


class Gateway(unittest.TestCase):
    TOML = ""

    @classmethod
    def setUpClass(cls):
        cls.folder = scratch()
        cls.certificate, cls.key = certificate(cls.folder.name)
        cls.unix = os.path.join(cls.folder.name, "http.sock")
        cls.daemon = Daemon(MBUSD, cls.folder.name, f"""
[gateway]
enabled = true
listen = ["127.0.0.1:0", "[::1]:0"]
tls_listen = ["127.0.0.1:0"]
tls_certificate = "{cls.certificate}"
tls_key = "{cls.key}"
unix = "{cls.unix}"
{cls.TOML}""").start()
        cls.daemon.wait_for_log("gateway ready")
        ports = re.search(r'sockets="127\.0\.0\.1:(\d+) \[::1\]:(\d+) 127\.0\.0\.1:(\d+) ', cls.daemon.read_log()).groups()
        cls.plain, cls.six, cls.tls = ("127.0.0.1", int(ports[0])), ("::1", int(ports[1])), ("127.0.0.1", int(ports[2]))

    @classmethod
    def tearDownClass(cls):
        cls.daemon.__exit__()
        cls.folder.cleanup()

    def ask(self, line, *headers, where=None, host="localhost"):
        with Web(where or self.plain) as web:
            return web.request(line, *headers, host=host).answer(body=not line.startswith("HEAD"))


class Requests(Gateway):
    TOML = 'origins = ["https://app.example"]\nhosts = ["bus.example.org"]'

    def test_every_socket_answers(self):
        for where in (self.plain, self.six, self.unix):
            self.assertEqual(self.ask("GET /nothing", where=where)[0], 404)
        self.assertEqual(stat.S_IMODE(os.stat(self.unix).st_mode), 0o660)

    def test_pipelined_requests_are_answered_in_order(self):
        with Web(self.plain) as web:
            web.send("GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n" * 200)
            self.assertEqual([web.answer()[0] for _ in range(200)], [404] * 200)

    def test_head_has_the_headers_of_get_and_no_body(self):
        status, headers, _ = self.ask("GET /mbws")
        with Web(self.plain) as web:
            again, head, _ = web.request("HEAD /mbws").answer(body=False)
            self.assertEqual((status, headers["content-length"]), (again, head["content-length"]))
            self.assertEqual(web.request("GET /nothing").answer()[0], 404)

    def test_options_and_cors(self):
        self.assertIn("GET, HEAD", self.ask("OPTIONS /mbws")[1]["allow"])
        status, headers, _ = self.ask("OPTIONS /mbws", "Origin: https://app.example", "Access-Control-Request-Method: GET")
        self.assertEqual((status, headers["access-control-allow-origin"]), (204, "https://app.example"))
        status, headers, body = self.ask("OPTIONS /mbws", "Origin: https://evil.example", "Access-Control-Request-Method: GET")
        self.assertEqual(status, 403)
        self.assertIn("gateway.origins", body)
        self.assertNotIn("access-control-allow-origin", headers)

    def test_a_foreign_host_is_refused_with_the_setting(self):
        status, headers, body = self.ask("GET /mbws", host="evil.example")
        self.assertEqual((status, headers["content-type"]), (403, "application/json"))
        self.assertIn("gateway.hosts", body)
        self.assertEqual(self.ask("GET /nothing", host="bus.example.org")[0], 404)

    def test_a_wrong_method_names_the_right_ones(self):
        status, headers, _ = self.ask("DELETE /mbws")
        self.assertEqual((status, headers["allow"]), (405, "GET, HEAD, OPTIONS"))

    def test_a_body_nobody_wants_is_refused_before_it_comes(self):
        with Web(self.plain) as web:
            status, headers, _ = web.request("GET /mbws", "Content-Length: 1000000000", "Expect: 100-continue").answer()
            self.assertEqual((status, headers["connection"]), (413, "close"))
            self.assertTrue(web.ended())

    def test_headers_without_end(self):
        with Web(self.plain) as web:
            web.send("GET / HTTP/1.1\r\nHost: localhost\r\n")
            deadline = time.monotonic() + 20
            with self.assertRaises(ConnectionError):
                while time.monotonic() < deadline:
                    web.send("X-Endless: " + "a" * 100 + "\r\n")
        with Web(self.plain) as web:
            web.send("GET / HTTP/1.1\r\nHost: localhost\r\nX: " + "a" * 17000)
            self.assertEqual(web.answer()[0], 431)

    def test_slowloris_is_cut_off_in_ten_seconds(self):
        begin = time.monotonic()
        with Web(self.plain, timeout=0.5) as web:
            status = None
            web.send("GET / HTTP/1.1\r\n")
            while status is None and time.monotonic() < begin + 40:
                try:
                    web.send("X")
                    status = web.answer()[0]
                except TimeoutError:
                    continue
        self.assertEqual(status, 408)
        self.assertGreater(time.monotonic() - begin, 8)

    def test_a_client_that_forwards_itself_is_not_believed(self):
        self.assertEqual(self.ask("GET /mbws", "X-Forwarded-Host: localhost", host="evil.example")[0], 403)


class Proxies(Gateway):
    TOML = 'trusted_proxies = ["unix", "127.0.0.1"]\nhosts = ["bus.example.org"]\nprefix = "/mbus"'

    def test_a_trusted_proxy_names_the_host(self):
        for where in (self.plain, self.unix):
            self.assertEqual(self.ask("GET /nothing", "X-Forwarded-Host: bus.example.org", where=where, host="internal")[0], 404)
            self.assertEqual(self.ask("GET /nothing", where=where, host="internal")[0], 403)
        self.assertEqual(self.ask("GET /nothing", "X-Forwarded-Host: bus.example.org", where=self.six, host="internal")[0], 403)

    def test_an_origin_behind_the_proxy_is_the_forwarded_host(self):
        self.assertEqual(self.ask("OPTIONS /mbws", "X-Forwarded-Host: bus.example.org", "Origin: https://bus.example.org")[0], 204)

    def test_the_prefix_is_taken_off(self):
        self.assertEqual(self.ask("OPTIONS /mbus/mbws")[0], 204)
        self.assertEqual(self.ask("OPTIONS /mbws")[0], 204)
        self.assertEqual(self.ask("OPTIONS /mbusx/mbws")[0], 404)


class Limits(Gateway):
    TOML = "connections_per_address = 3\nconnections = 5"

    def test_connections_beyond_the_limits_are_told_the_setting(self):
        held = [Web(self.plain) for _ in range(3)]
        for each in held:
            each.request("GET /nothing").answer()
        with Web(self.plain) as web:
            status, _, body = web.answer()
        self.assertEqual(status, 503)
        self.assertIn("gateway.connections_per_address", body)
        held += [Web(self.unix) for _ in range(2)]
        for each in held:
            each.request("GET /nothing").answer()
        with Web(self.unix) as web:
            self.assertIn("as gateway.connections allows", web.answer()[2])
        self.daemon.wait_for_log("setting=gateway.connections_per_address")
        for each in held:
            each.socket.close()


class Tls(Gateway):
    def context(self):
        return ssl.create_default_context(cafile=self.certificate)

    def serial(self):
        """The certificate's own octets, without a look at who signed it."""
        any_ = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        any_.check_hostname, any_.verify_mode = False, ssl.CERT_NONE
        with Web(self.tls, tls=any_) as web:
            return web.socket.getpeercert(binary_form=True)

    def until_changed(self, before):
        deadline = time.monotonic() + 20
        while self.serial() == before and time.monotonic() < deadline:
            time.sleep(0.1)
        self.assertNotEqual(self.serial(), before)

    def test_https_and_the_versions(self):
        with Web(self.tls, tls=self.context()) as web:
            self.assertEqual(web.request("GET /nothing").answer()[0], 404)
        old = self.context()
        old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            Web(self.tls, tls=old)

    def test_who_does_not_shake_hands_holds_up_nobody(self):
        with Web(self.tls) as silent, Web(self.tls, tls=self.context()) as web:
            self.assertEqual(web.request("GET /nothing").answer()[0], 404)
            self.assertTrue(silent.ended())

    def test_a_renewed_certificate_is_used_and_open_connections_stay(self):
        first = self.serial()
        with Web(self.tls, tls=self.context()) as web:
            certificate(self.folder.name)
            self.until_changed(first)
            self.assertEqual(web.request("GET /nothing").answer()[0], 404)
        second = self.serial()
        certificate(self.folder.name)
        self.daemon.process.send_signal(signal.SIGHUP)
        self.until_changed(second)

    def test_a_bad_certificate_keeps_the_old_one(self):
        before = self.serial()
        with open(self.certificate) as file:
            good = file.read()
        with open(self.certificate, "w") as file:
            file.write("rubbish")
        self.daemon.wait_for_log("the new certificate is not used, the old one stays")
        self.assertEqual(self.serial(), before)
        with open(self.certificate, "w") as file:
            file.write(good)


class Start(unittest.TestCase):
    def setUp(self):
        self.folder = scratch()
        self.addCleanup(self.folder.cleanup)

    def failure(self, toml, *more):
        daemon = Daemon(MBUSD, self.folder.name, "[gateway]\nenabled = true\n" + toml)
        done = subprocess.run(daemon.command(*more), capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 1, done.stderr)
        return done.stderr

    def test_a_port_in_use_ends_the_start_with_one_sentence(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            text = self.failure(f'listen = ["127.0.0.1:{taken.getsockname()[1]}"]')
        self.assertRegex(text, r"mbusd: gateway\.listen: can't listen on 127\.0\.0\.1:\d+: Address already in use; .*\n$")
        self.assertFalse(os.path.exists(os.path.join(self.folder.name, "mbusd.sock")))

    def test_a_bad_certificate_is_found_at_start_and_by_check(self):
        toml = 'listen = []\ntls_listen = ["127.0.0.1:0"]\ntls_certificate = "/nowhere/cert.pem"\ntls_key = "/nowhere/key.pem"'
        for more in ((), ("--check",)):
            self.assertIn("gateway.tls_certificate: /nowhere/cert.pem can't be read", self.failure(toml, *more))

    def test_texts_that_are_no_addresses_or_origins_are_refused(self):
        for line in ('listen = ["8407"]', 'origins = ["app.example"]', 'trusted_proxies = ["10.0.0.0/40"]', 'prefix = "mbus"',
                     'public_url = "bus.example"', 'hosts = ["http://x"]'):
            self.assertIn("mbusd.toml:3: gateway." + line.split()[0], self.failure(line))


if __name__ == "__main__":
    MBUSD = os.path.abspath(sys.argv.pop(1))
    if not private_network():
        print("skipped: needs root for a network namespace of its own")
        sys.exit(77)
    unittest.main(verbosity=1, warnings="ignore")
