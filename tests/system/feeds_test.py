#!/usr/bin/env python3
"""Feeds of the real mbusd: over HTTP (RFC 5023), on the bus, with mbus feed, and after kill -9.

    feeds_test.py BIN_DIR [TEST...]

Runs in a network namespace of its own (needs root); without one it says so and exits 77 (skipped)."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
import unittest
import urllib.parse
import xml.etree.ElementTree as ElementTree

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from mbws_raw import Daemon, private_network, scratch  # noqa: E402

BIN = None
PORT = 8407  # of the namespace, which is ours alone
BASE = f"http://127.0.0.1:{PORT}"
ATOM = "{http://www.w3.org/2005/Atom}"
APP = "{http://www.w3.org/2007/app}"
TOML = """
[state]
directory = "{folder}/state"
[gateway]
enabled = true
listen = ["127.0.0.1:%d"]
[xmpp]
enabled = true
domain = "bus.example"
[atom]
page_entries = 3
""" % PORT
ENTRY = ('<entry xmlns="http://www.w3.org/2005/Atom"><id>urn:uuid:1225c695-cfb8-4ebb-aaaa-80da344efa6a</id><title>{}</title>'
         "<updated>2026-11-21T06:00:00Z</updated><content>c</content></entry>")


class Feeds(unittest.TestCase):
    def setUp(self):
        folder = scratch()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.daemon = Daemon(os.path.join(BIN, "mbusd"), self.folder, TOML.format(folder=self.folder)).start()
        self.addCleanup(self.daemon.__exit__)
        self.environment = dict(os.environ, MBUS_SOCKET=self.daemon.socket, MBUS=self.daemon.key, HOME=self.folder)
        # The account of this token is that of who runs the test: root@bus.example.
        self.token = self.mbus("client", "add", "root").strip()
        self.mbus("feed", "create", "news", "The news")

    def mbus(self, *words, code=0, stdin=None):
        done = subprocess.run([os.path.join(BIN, "mbus"), *words], text=True, capture_output=True, timeout=60, env=self.environment,
                              input=stdin if stdin is not None else "")
        self.assertEqual(done.returncode, code, f"{words}\nstdout: {done.stdout}\nstderr: {done.stderr}")
        return done.stdout

    def ask(self, method, path, body=None, token=True, **headers):
        """Status, headers, body."""
        link = http.client.HTTPConnection("127.0.0.1", PORT, timeout=30)
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            headers["Authorization"] = "Bearer " + self.token
        if body is not None:
            headers.setdefault("Content-Type", "application/atom+xml;type=entry")
        link.request(method, path.removeprefix(BASE), body if body is None else body.encode(), headers)
        answer = link.getresponse()
        out = answer.status, answer.headers, answer.read().decode()
        link.close()
        return out

    def post(self, title, **headers):
        status, fields, body = self.ask("POST", "/atom/news", ENTRY.format(title), **headers)
        self.assertEqual(status, 201, body)
        return fields["Location"], fields["ETag"]

    def feed(self, path="/atom/news"):
        status, fields, body = self.ask("GET", path, token=False)
        self.assertEqual(status, 200, body)
        self.assertEqual(fields["Content-Type"], "application/atom+xml;type=feed")
        return ElementTree.fromstring(body)

    def until(self, holds, seconds=20):
        end = time.monotonic() + seconds
        while not holds():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.05)

    @staticmethod
    def links(element, rel):
        return [each.get("href") for each in element.findall(ATOM + "link") if each.get("rel") == rel]

    def test_an_entry_is_made_read_changed_and_removed(self):
        """[xmpp 87] [xmpp 89] [xmpp 90] [xmpp 91]"""
        where, tag = self.post("Dawn", Slug="Dawn at Sea")
        self.assertEqual(where, BASE + "/atom/news/dawn-at-sea")
        status, fields, body = self.ask("GET", where, token=False)
        self.assertEqual((status, fields["ETag"], fields["Content-Type"]), (200, tag, "application/atom+xml;type=entry"))
        self.assertEqual(self.links(ElementTree.fromstring(body), "edit"), [where])
        self.assertEqual(self.ask("GET", where, If_None_Match=tag)[0], 304)
        head = self.ask("HEAD", where)
        self.assertEqual((head[0], head[1]["ETag"], head[2]), (200, tag, ""))
        status, fields, _ = self.ask("PUT", where, ENTRY.format("Noon"), If_Match=tag)
        self.assertEqual(status, 200)
        self.assertNotEqual(fields["ETag"], tag)
        self.assertEqual(self.ask("PUT", where, ENTRY.format("Night"), If_Match=tag)[0], 412)
        self.assertIn("Noon", self.ask("GET", where)[2])
        self.assertEqual(self.ask("DELETE", where, If_Match=tag)[0], 412)
        self.assertEqual(self.ask("DELETE", where)[0], 204)
        self.assertEqual(self.ask("GET", where)[0], 404)

    def test_the_feed_is_atom_and_every_entry_is_there_once(self):
        """[xmpp 85] [xmpp 86] [xmpp 94]"""
        service = ElementTree.fromstring(self.ask("GET", "/atom/", token=False)[2])
        row = service.find(f"{APP}workspace/{APP}collection")
        self.assertEqual((row.get("href"), row.find(ATOM + "title").text), (BASE + "/atom/news", "The news"))
        made = [self.post(f"entry {number}")[0] for number in range(8)]
        path, seen = "/atom/news", []
        while path:
            feed = self.feed(path)
            for name in ("id", "title", "updated", "author"):
                self.assertEqual(len(feed.findall(ATOM + name)), 1, name)
            for entry in feed.findall(ATOM + "entry"):
                self.assertIsNotNone(entry.find(APP + "edited"))
                seen += self.links(entry, "edit")
            path = next(iter(self.links(feed, "next")), None)
        self.assertEqual(seen, made[::-1])

    def test_another_parser_reads_the_feed(self):
        """[xmpp 86]"""
        try:
            import feedparser
        except ImportError:
            self.skipTest("python3-feedparser is not installed")
        self.post("Dawn &amp; <![CDATA[<more>]]>".replace("<![CDATA[<more>]]>", "&lt;more&gt;"))
        feed = feedparser.parse(self.ask("GET", "/atom/news", token=False)[2])
        self.assertFalse(feed.bozo, feed.get("bozo_exception"))
        self.assertEqual((feed.version, feed.feed.title, len(feed.entries)), ("atom10", "The news", 1))
        self.assertEqual(feed.entries[0].id, "urn:uuid:1225c695-cfb8-4ebb-aaaa-80da344efa6a")

    def test_bad_requests_are_refused_with_the_reason(self):
        """[xmpp 92] [xmpp 95]"""
        self.assertEqual(self.ask("POST", "/atom/news", "<entry")[0], 400)
        status, _, body = self.ask("POST", "/atom/news", '<entry xmlns="http://www.w3.org/2005/Atom"/>')
        self.assertEqual(status, 422)
        self.assertIn("exactly one title", body)
        self.assertEqual(self.ask("POST", "/atom/news", "x", Content_Type="text/plain")[0], 415)
        self.assertEqual(self.ask("POST", "/atom/news", ENTRY.format("x" * 300000))[0], 413)
        self.assertEqual(self.ask("POST", "/atom/news", ENTRY.format("t"), token=False)[0], 401)
        status, fields, _ = self.ask("PATCH", "/atom/news", ENTRY.format("t"))
        self.assertEqual(status, 405)
        self.assertIn("GET", fields["Allow"])
        self.assertEqual(self.ask("POST", "/atom/news", ENTRY.format("t"), Origin="https://elsewhere.example")[0], 403)
        self.assertEqual(self.feed().findall(ATOM + "entry"), [])

    def test_everything_is_there_after_kill_9(self):
        """[xmpp 91] [xmpp 93]"""
        made = [self.post(f"\u00e4\U0001f600 {number}") for number in range(5)]
        self.ask("DELETE", made[2][0])
        self.daemon.stop(signal.SIGKILL)
        self.daemon.start()
        for number, (where, tag) in enumerate(made):
            status, fields, body = self.ask("GET", where)
            self.assertEqual(status, 404 if number == 2 else 200)
            if number != 2:
                self.assertEqual(fields["ETag"], tag)
                self.assertIn(f"\u00e4\U0001f600 {number}", body)
        self.assertNotIn(self.post("another")[1], [tag for _, tag in made])

    def test_the_bus_hears_of_every_change(self):
        """[xmpp 88]"""
        with subprocess.Popen([os.path.join(BIN, "mbus-listen"), "feed:news"], text=True, stdout=subprocess.PIPE,
                              env=self.environment) as listener:
            try:
                self.until(lambda: "feed:news" in self.mbus("peers", "feed:news"))
                where, _ = self.post("Dawn", Slug="dawn")
                self.ask("PUT", where, ENTRY.format("Noon"))
                self.ask("DELETE", where)
                heard = [listener.stdout.readline() for _ in range(3)]
            finally:
                listener.kill()
        for line, name, title in zip(heard, ("atom.published", "atom.updated", "atom.deleted"), ("Dawn", "Noon", "Noon")):
            self.assertIn(name, line)
            self.assertIn(f'"news" "dawn" "{title}"', line)

    def test_mbus_feed_posts_lists_shows_and_removes(self):
        item = self.mbus("feed", "post", "news", stdin="The mill is running").strip()
        self.mbus("feed", "post", "-i", "a/b", "-t", "All <well>", "news", stdin="text & more")
        rows = [json.loads(line) for line in self.mbus("feed", "ls", "-j", "news").splitlines()]
        self.assertEqual([(row["item"], row["title"]) for row in rows], [("a/b", "All <well>"), (item, "The mill is running")])
        entry = ElementTree.fromstring(self.mbus("feed", "show", "news", "a/b"))
        self.assertEqual(entry.find(ATOM + "content").text, "text & more")
        self.assertEqual(self.ask("GET", "/atom/news/" + urllib.parse.quote("a/b", safe=""), token=False)[0], 200)
        self.mbus("feed", "rm", "news", "a/b")
        self.assertEqual(self.ask("GET", "/atom/news/a%2Fb", token=False)[0], 404)
        self.mbus("feed", "post", "fresh", stdin="the first makes the node")
        self.assertIn("fresh", self.mbus("feed", "ls"))
        self.mbus("feed", "rm", "fresh")
        self.assertNotIn("fresh", self.mbus("feed", "ls"))
        self.mbus("feed", "ls", "nowhere", code=1)
        self.mbus("feed", "dance", code=2)

    def test_a_client_that_was_named_at_the_making_of_a_feed_posts_there(self):
        self.mbus("feed", "create", "--publisher", "reporter", "shared", "Shared")
        reporter = "Bearer " + self.mbus("client", "add", "reporter").strip()
        stranger = "Bearer " + self.mbus("client", "add", "stranger").strip()
        for who, status in ((reporter, 201), (stranger, 403)):
            self.assertEqual(self.ask("POST", "/atom/shared", ENTRY.format("t"), token=False, Authorization=who)[0], status)
        self.mbus("feed", "rm", "-p", "reporter", "shared", code=2)

    def test_a_command_sent_over_http_publishes_with_the_rights_of_its_token(self):
        entry = ENTRY.format("Dawn").replace('"', '\\"')
        for token, heard in ((self.mbus("client", "add", "stranger").strip(), 0), (self.token, 1)):
            link = http.client.HTTPConnection("127.0.0.1", PORT, timeout=30)
            link.request("POST", "/send?to=(service:pubsub)", f'atom.publish("news" "sent" "{entry}")',
                         {"Authorization": "Bearer " + token, "Content-Type": "text/plain"})
            self.assertEqual(link.getresponse().status, 200)
            link.close()
            if heard:
                self.until(lambda: "sent" in self.mbus("feed", "ls", "news"))
            else:
                self.assertEqual(self.mbus("feed", "ls", "news"), "")

    def test_host_meta_names_the_websocket(self):
        """[xmpp 97]"""
        status, fields, body = self.ask("GET", "/.well-known/host-meta", token=False)
        self.assertEqual((status, fields["Access-Control-Allow-Origin"]), (200, "*"))
        link = ElementTree.fromstring(body).find("{http://docs.oasis-open.org/ns/xri/xrd-1.0}Link")
        self.assertEqual((link.get("rel"), link.get("href")), ("urn:xmpp:alt-connections:websocket", f"ws://127.0.0.1:{PORT}/xmpp"))
        links = json.loads(self.ask("GET", "/.well-known/host-meta.json", token=False, Origin="https://elsewhere.example")[2])["links"]
        self.assertEqual(links[0]["href"], f"ws://127.0.0.1:{PORT}/xmpp")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    BIN = os.path.abspath(sys.argv.pop(1))
    if os.geteuid() != 0 or not private_network():
        print("skipped: needs root for a network namespace")
        sys.exit(77)
    unittest.main(verbosity=2)
