#!/usr/bin/env python3
"""Publish-subscribe of a real mbusd over XMPP and HTTP at once: one store behind two doors, what survives,
how fast it is, and what a slow reader does to others (docs/xmpp.md, docs/feeds.md).

    xmpp_pubsub_test.py BIN_DIR [TEST...]

Runs in a network namespace of its own (needs root); without one it says so and exits 77 (skipped)."""

import base64
import http.client
import os
import signal
import socket
import statistics
import sys
import time
import unittest
import xml.etree.ElementTree as xml
from xml.sax.saxutils import quoteattr

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import xmpp_test  # noqa: E402
from mbws_raw import private_network  # noqa: E402
from websocket_raw import TEXT, frame  # noqa: E402
from xmpp_raw import Xmpp, condition  # noqa: E402

SERVICE = "pubsub.bus.example"
PUBSUB = "{http://jabber.org/protocol/pubsub}"
EVENT = "{http://jabber.org/protocol/pubsub#event}"
OWNER = "http://jabber.org/protocol/pubsub#owner"
ATOM = "{http://www.w3.org/2005/Atom}"
ENTRY = ('<entry xmlns="http://www.w3.org/2005/Atom"><id>urn:uuid:{}</id><title>{}</title>'
         "<updated>2026-11-21T06:00:00Z</updated><content>{}</content></entry>")


def entry(title, uuid="1225c695-cfb8-4ebb-aaaa-80da344efa6a", content="c"):
    return ENTRY.format(uuid, title, content)


class Case(xmpp_test.Case):
    def ask(self, web, kind, payload, space="http://jabber.org/protocol/pubsub"):
        return web.ask(kind, f"<pubsub xmlns='{space}'>{payload}</pubsub>", SERVICE)

    def done(self, web, payload, **how):
        got = self.ask(web, "set", payload, **how)
        self.assertEqual(got.get("type"), "result", xml.tostring(got))
        return got

    def make(self, web, node):
        self.done(web, f"<create node='{node}'/>")
        self.addCleanup(lambda: self.ask(self.login("ann", resource="cleanup"), "set", f"<delete node='{node}'/>", OWNER))

    def put(self, web, node, item, text):
        return self.done(web, f"<publish node='{node}'><item id={quoteattr(item)}>{text}</item></publish>")

    def event(self, web, timeout=10):
        """What stands in the next event: <items/>, <purge/>, <delete/>."""
        while True:
            got = web.next_element(timeout)
            found = got.find(EVENT + "event")
            if found is not None:
                return found[0]

    def over_http(self, method, path, body=None, **headers):
        """Status, headers, body, as the account ann."""
        link = http.client.HTTPConnection("127.0.0.1", xmpp_test.PORT, timeout=30)
        fields = {"Authorization": "Basic " + base64.b64encode(b"ann:secret of ann").decode(), "Content-Type": "application/atom+xml"}
        link.request(method, path, body, {**fields, **headers})
        answer = link.getresponse()
        out = answer.status, answer.headers, answer.read().decode()
        link.close()
        return out


class Doors(Case):
    def test_what_is_posted_is_an_event_and_what_is_published_is_in_the_feed(self):
        """[xmpp 65] [xmpp 88] [xmpp 91] [xmpp 96]"""
        ann, bob, eve = self.login("ann"), self.login("bob").available(), self.login("bob", resource="stranger")
        self.make(ann, "doors")
        self.done(bob, f"<subscribe node='doors' jid='{bob.jid}'/>")
        status, headers, _ = self.over_http("POST", "/atom/doors", entry("Dawn"), Slug="dawn")
        self.assertEqual(status, 201)
        item = self.event(bob)[0]
        self.assertEqual(item.get("id"), "dawn")
        self.assertEqual(item.find(f"{ATOM}entry/{ATOM}id").text, "urn:uuid:1225c695-cfb8-4ebb-aaaa-80da344efa6a")
        self.assertEqual(self.over_http("PUT", "/atom/doors/dawn", entry("Noon"), **{"If-Match": headers["ETag"]})[0], 200)
        item = self.event(bob)[0]
        self.assertEqual((item.get("id"), item.find(f"{ATOM}entry/{ATOM}title").text), ("dawn", "Noon"))
        self.assertEqual(self.over_http("DELETE", "/atom/doors/dawn")[0], 204)
        self.assertEqual(self.event(bob)[0].tag, EVENT + "retract")
        self.assertEqual(list(self.ask(ann, "get", "<items node='doors'/>").iter(PUBSUB + "item")), [])

        self.put(ann, "doors", "dusk", entry("Dusk"))
        feed = xml.fromstring(self.over_http("GET", "/atom/doors")[2])
        edits = [each.get("href") for each in feed.findall(f"{ATOM}entry/{ATOM}link") if each.get("rel") == "edit"]
        self.assertEqual(edits, [f"http://127.0.0.1:{xmpp_test.PORT}/atom/doors/dusk"])
        self.done(ann, "<retract node='doors'><item id='dusk'/></retract>")
        self.assertEqual(xml.fromstring(self.over_http("GET", "/atom/doors")[2]).findall(ATOM + "entry"), [])
        # Nothing of all that was for a stranger.
        self.assertEqual(eve.ask("get", "<ping xmlns='urn:xmpp:ping'/>").get("id"), "q1")

    def test_an_invalid_entry_is_refused_with_the_reason_at_both_doors(self):
        """[xmpp 92]"""
        ann = self.login("ann")
        self.make(ann, "rules")
        untitled = '<entry xmlns="http://www.w3.org/2005/Atom"><id>urn:x:1</id><updated>2026-11-21T06:00:00Z</updated></entry>'
        refused = self.ask(ann, "set", f"<publish node='rules'><item id='x'>{untitled}</item></publish>")
        self.assertEqual(condition(refused), "bad-request")
        self.assertIn("title", xml.tostring(refused).decode())
        status, _, body = self.over_http("POST", "/atom/rules", untitled)
        self.assertEqual(status, 422)
        self.assertIn("title", body)
        self.assertEqual(list(self.ask(ann, "get", "<items node='rules'/>").iter(PUBSUB + "item")), [])

    def test_odd_ids_and_every_character_survive_both_ways(self):
        """[xmpp 68] [xmpp 93]"""
        ann = self.login("ann")
        self.make(ann, "odd")
        for item in ("a b", "\"quoted\" 'twice'", "<tag>&amp;", "\U0001F680\u00e4", "../../etc/passwd", "x" * 200):
            text = f"{item} \U0001F600".replace("&", "&amp;").replace("<", "&lt;")
            self.put(ann, "odd", item, entry(text))
            got = self.ask(ann, "get", f"<items node='odd'><item id={quoteattr(item)}/></items>").find(f".//{PUBSUB}item")
            self.assertEqual((got.get("id"), got.find(f"{ATOM}entry/{ATOM}title").text), (item, f"{item} \U0001F600"))


class Subscribers(Case):
    def test_a_subscription_survives_that_its_subscriber_leaves(self):
        """[xmpp 81]"""
        ann, bob = self.login("ann"), self.login("bob").available()
        self.make(ann, "back")
        self.done(bob, "<subscribe node='back' jid='bob@bus.example'/>")
        bob.close()
        again = self.login("bob", resource="again").available()
        again.ask("get", "<ping xmlns='urn:xmpp:ping'/>")
        self.put(ann, "back", "1", entry("one"))
        self.assertEqual(self.event(again)[0].get("id"), "1")
        listed = self.ask(again, "get", "<subscriptions/>").iter(PUBSUB + "subscription")
        self.assertIn(("back", "bob@bus.example"), [(each.get("node"), each.get("jid")) for each in listed])

    def test_thirty_publishes_arrive_in_order_and_soon(self):
        """[xmpp 69] [xmpp 83]"""
        ann, bob = self.login("ann"), self.login("bob").available()
        self.make(ann, "soon")
        self.done(bob, f"<subscribe node='soon' jid='{bob.jid}'/>")
        took = []
        for number in range(30):
            began = time.monotonic()
            ann.say(f"<iq xmlns='jabber:client' type='set' id='p{number}' to='{SERVICE}'><pubsub xmlns='http://jabber.org/protocol/pubsub'>"
                    f"<publish node='soon'><item id='{number}'>{entry('x')}</item></publish></pubsub></iq>")
            self.assertEqual(self.event(bob)[0].get("id"), str(number))
            took.append(time.monotonic() - began)
            self.assertEqual(ann.next_element().get("id"), f"p{number}")
        self.assertLess(statistics.median(took), 0.1)

    def test_fifty_subscribers_are_told_while_one_does_not_read(self):
        """[xmpp 84]"""
        ann = self.login("ann")
        self.make(ann, "many")
        stalled = self.stream()
        stalled.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stalled.login("bob", "secret of bob", resource="stalled")
        everybody = [self.login("bob", resource=f"r{number}") for number in range(49)]
        for each in (stalled, *everybody):
            self.done(each, f"<subscribe node='many' jid='{each.jid}'/>")
        # More than the kernel holds for a reader that has stopped.
        for _ in range(60):
            ann.message(stalled.jid, f"<body>{'x' * 200000}</body>")
        began = time.monotonic()
        for number in range(10):
            self.put(ann, "many", str(number), entry("x", content="y" * 5000))
        for each in everybody:
            for number in range(10):
                self.assertEqual(self.event(each)[0].get("id"), str(number))
        self.assertLess(time.monotonic() - began, 10)


class Greedy(Case):
    def test_who_asks_for_much_and_reads_nothing_harms_nobody(self):
        ann, bob = self.login("ann"), self.login("bob")
        self.make(ann, "large")
        for number in range(4):
            self.put(ann, "large", str(number), entry("x", content="y" * 200000))
        before = self.daemon.rss_kb()
        ask = (f"<iq xmlns='jabber:client' type='get' id='i' to='{SERVICE}'><pubsub xmlns='http://jabber.org/protocol/pubsub'>"
               "<items node='large'/></pubsub></iq>").encode()
        began = time.monotonic()
        bob.raw(b"".join(frame(TEXT, ask) for _ in range(300)))
        self.assertEqual(ann.ask("get", "<ping xmlns='urn:xmpp:ping'/>").get("type"), "result")
        self.assertLess(time.monotonic() - began, 5)
        # 300 answers are 240 MB.
        self.assertLess(self.daemon.rss_kb() - before, 200000)
        # Who reads gets them all.
        for _ in range(20):
            self.assertEqual(len(list(bob.next_element().iter(PUBSUB + "item"))), 4)

    def test_names_that_grow_are_refused(self):
        ann, bob = self.login("ann"), self.login("bob")
        bob.message(ann.jid, f"<x xmlns:p='{'n' * 1000}'>{'<p:y/>' * 5000}</x>")
        bob.expect_end("policy-violation")
        self.assertEqual(ann.ask("get", "<ping xmlns='urn:xmpp:ping'/>").get("type"), "result")


class Killed(Case):
    """kill -9 at the moment when an answer has come: what was answered is there afterwards."""

    ROUNDS = 12

    def killed(self):
        self.daemon.stop(signal.SIGKILL)
        self.daemon.start()

    def kept(self, node):
        web = self.login("ann")
        found = {each.get("id") for each in self.ask(web, "get", f"<items node='{node}'/>").iter(PUBSUB + "item")}
        web.close()
        return found

    def test_over_xmpp(self):
        web = self.login("ann")
        self.done(web, "<create node='kept'/><configure><x xmlns='jabber:x:data' type='submit'><field var='pubsub#max_items'>"
                  "<value>max</value></field></x></configure>")
        answered = set()
        for round_ in range(self.ROUNDS):
            for number in range(8):
                item = f"{round_}-{number}"
                web.say(f"<iq xmlns='jabber:client' type='set' id='{item}' to='{SERVICE}'><pubsub xmlns='http://jabber.org/protocol/pubsub'>"
                        f"<publish node='kept'><item id='{item}'>{entry(item)}</item></publish></pubsub></iq>")
            # Pipelined: some are answered when the daemon dies, perhaps not all.
            for number in range(1 + round_ % 8):
                got = web.next_element()
                self.assertEqual((got.get("type"), got.get("id")), ("result", f"{round_}-{number}"))
                answered.add(got.get("id"))
            self.killed()
            web.close()
            self.assertLessEqual(answered, self.kept("kept"))
            web = self.login("ann")

    def test_over_http(self):
        web = self.login("ann")
        self.done(web, "<create node='posted'/><configure><x xmlns='jabber:x:data' type='submit'><field var='pubsub#max_items'>"
                  "<value>max</value></field></x></configure>")
        answered = set()
        for round_ in range(self.ROUNDS):
            for number in range(1 + round_ % 3):
                status, headers, _ = self.over_http("POST", "/atom/posted", entry("x"), Slug=f"{round_}-{number}")
                self.assertEqual(status, 201)
                answered.add(headers["Location"].rsplit("/", 1)[1])
            self.killed()
            self.assertLessEqual(answered, self.kept("posted"))

    def test_over_the_bus(self):
        self.tool("mbus", "feed", "create", "sent")
        answered = set()
        for round_ in range(self.ROUNDS):
            self.tool("mbus", "feed", "post", "-i", f"{round_}", "sent", given="text")
            answered.add(f"{round_}")
            self.killed()
            self.assertLessEqual(answered, self.kept("sent"))

    def test_nodes_subscriptions_and_affiliations(self):
        web = self.login("ann")
        self.done(web, "<create node='whole'/>")
        self.done(web, "<affiliations node='whole'><affiliation jid='bob@bus.example' affiliation='publisher'/></affiliations>", space=OWNER)
        bob = self.login("bob")
        self.done(bob, "<subscribe node='whole' jid='bob@bus.example'/><options><x xmlns='jabber:x:data' type='submit'>"
                  "<field var='pubsub#deliver'><value>0</value></field></x></options>")
        self.killed()
        bob = self.login("bob")
        self.put(bob, "whole", "1", entry("x"))
        options = self.ask(bob, "get", "<options node='whole' jid='bob@bus.example'/>")
        self.assertEqual([each[0].text for each in options.iter("{jabber:x:data}field") if each.get("var") == "pubsub#deliver"], ["0"])


class Answers(Case):
    def test_answers_keep_their_order_and_nobody_else_waits(self):
        ann, bob = self.login("ann"), self.login("bob")
        self.make(ann, "order")
        kinds = ("publish", "items", "publish", "items", "ping")
        for number, kind in enumerate(kinds * 10):
            inside = {"publish": f"<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='order'><item id='1'>{entry('x')}</item></publish></pubsub>",
                      "items": "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='order'/></pubsub>",
                      "ping": "<ping xmlns='urn:xmpp:ping'/>"}[kind]
            ann.say(f"<iq xmlns='jabber:client' type='{'set' if kind == 'publish' else 'get'}' id='o{number}' to='{SERVICE}'>{inside}</iq>")
        self.assertEqual(bob.ask("get", "<ping xmlns='urn:xmpp:ping'/>").get("type"), "result")
        self.assertEqual([ann.next_element().get("id") for _ in range(50)], [f"o{number}" for number in range(50)])

    def test_figures_are_told(self):
        """In /metrics, mbusd.status and mbusd.counters."""
        ann = self.login("ann")
        self.make(ann, "figures")
        self.put(ann, "figures", "1", entry("x"))
        self.assertEqual(condition(self.ask(ann, "get", "<items node='nowhere'/>")), "item-not-found")
        page = self.over_http("GET", "/metrics")[2]
        for name in ("mbusd_xmpp_sessions ", "mbusd_xmpp_sessions_waiting ", "mbusd_pubsub_nodes ", "mbusd_pubsub_items ",
                     'mbusd_pubsub_changes_total{change="published"} ', "mbusd_pubsub_store_waits_total ", "mbusd_pubsub_store_waiting 0",
                     'mbusd_xmpp_stanzas_total{direction="in"} ', 'mbusd_xmpp_errors_total{condition="item-not-found"} ',
                     'mbusd_xmpp_logins_total{as="account"} ', 'mbusd_atom_requests_total{result="written"} '):
            self.assertIn("\n" + name, page)
        for command, name in (("mbusd.status", "xmpp-sessions"), ("mbusd.status", "feeds"), ("mbusd.counters", "stanzas-in"),
                              ("mbusd.counters", "stored-later")):
            self.assertIn(name, self.tool("mbus", "call", "module:mbusd", command).stdout)


class Guessing(unittest.TestCase):
    def setUp(self):
        self.lab = type("Lab", (xmpp_test.Case,), {})
        self.lab.setUpClass()
        self.addCleanup(self.lab.tearDownClass)

    def test_each_wrong_password_makes_the_next_wait_longer(self):
        """[xmpp 37] [xmpp 41]"""
        web = Xmpp(xmpp_test.PORT)
        self.addCleanup(web.close)
        took = []
        for _ in range(4):
            began = time.monotonic()
            self.assertEqual(web.scram("ann", "wrong").tag, "{urn:ietf:params:xml:ns:xmpp-sasl}failure")
            took.append(time.monotonic() - began)
        # 0, 125, 250 and 500 ms.
        self.assertGreater(took[3], 0.45)
        self.assertGreater(sum(took), 0.8)
        # Another connection from there waits too, and is let in in the end.
        other = Xmpp(xmpp_test.PORT)
        self.addCleanup(other.close)
        began = time.monotonic()
        self.assertEqual(other.scram("ann", "secret of ann").tag, "{urn:ietf:params:xml:ns:xmpp-sasl}success")
        self.assertGreater(time.monotonic() - began, 0.5)
        web.scram("ann", "wrong")
        web.expect_end("policy-violation")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    xmpp_test.BIN = os.path.abspath(sys.argv.pop(1))
    if os.geteuid() != 0 or not private_network():
        print("skipped: needs root for a network namespace")
        sys.exit(77)
    unittest.main(verbosity=2)
