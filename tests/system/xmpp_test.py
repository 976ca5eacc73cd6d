#!/usr/bin/env python3
"""XMPP over WebSocket with a real mbusd, spoken to octet by octet (docs/xmpp.md). Items are those of the
conformance checklist for XMPP over WebSocket; what the unit tests hold is not repeated here.

    xmpp_test.py BIN_DIR [TEST...]

Runs in a network namespace of its own (needs root); without one it says so and exits 77 (skipped)."""

import json
import os
import pty
import signal
import socket
import struct
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from mbws_raw import Closed, Daemon, private_network, scratch  # noqa: E402
from websocket_raw import BINARY, CLOSE, PING, PONG, TEXT, Refused, frame, request  # noqa: E402
from xmpp_raw import (BIND, BUS, CLIENT, DISCO_INFO, DISCO_ITEMS, FRAMING, OPEN, SASL, SM, STREAMS, Xmpp, condition)  # noqa: E402

BIN = None
PORT = 8407  # of the namespace, which is ours alone
TOML = """
[state]
directory = "{folder}/state"
[gateway]
enabled = true
listen = ["127.0.0.1:%d"]
[xmpp]
enabled = true
domain = "bus.example"
anonymous = true
""" % PORT
CHAT_STATE = "<active xmlns='http://jabber.org/protocol/chatstates'/>"


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = scratch()
        cls.folder = cls.scratch.name
        cls.daemon = Daemon(os.path.join(BIN, "mbusd"), cls.folder, TOML.format(folder=cls.folder)).start()
        cls.environment = dict(os.environ, MBUS_SOCKET=cls.daemon.socket, MBUS=cls.daemon.key, HOME=cls.folder)
        for name in ("ann", "bob"):
            cls.tool("mbus", "client", "add", "--xmpp", name, "--password-file", "-", given=f"secret of {name}\n")

    @classmethod
    def tearDownClass(cls):
        cls.daemon.__exit__()
        cls.scratch.cleanup()

    @classmethod
    def tool(cls, name, *words, given="", code=0):
        done = subprocess.run([os.path.join(BIN, name), *words], text=True, capture_output=True, timeout=60, env=cls.environment, input=given)
        assert done.returncode == code, f"{words}\nstdout: {done.stdout}\nstderr: {done.stderr}"
        return done

    def stream(self, **how):
        out = Xmpp(PORT, **how)
        self.addCleanup(out.close)
        return out

    def login(self, user="ann", **how):
        return self.stream().login(user, f"secret of {user}", **how)


class Handshake(Case):
    def test_xmpp_is_chosen_among_what_is_offered_and_nothing_else_is_added(self):
        """[xmpp 1] [xmpp 2] [xmpp 4] [xmpp 5]"""
        web = self.stream(opened=False, Sec_WebSocket_Protocol="mbws.text, xmpp", Connection="keep-alive, Upgrade", Upgrade="WebSocket",
                          Sec_WebSocket_Key="dGhlIHNhbXBsZSBub25jZQ==")
        self.assertEqual(web.headers["sec-websocket-protocol"], "xmpp")
        self.assertEqual(web.headers["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        self.assertNotIn("sec-websocket-extensions", web.headers)

    def test_without_xmpp_there_is_no_session(self):
        """[xmpp 3] [xmpp 6] [xmpp 7]"""
        for headers, statuses in (({"Sec_WebSocket_Protocol": None}, {400, 426}), ({"Sec_WebSocket_Protocol": "mbws"}, {400, 426}),
                                  ({"Sec_WebSocket_Version": "8"}, {400, 426}), ({"Upgrade": None, "Connection": None}, {400, 426})):
            with self.assertRaises(Refused) as refused:
                self.stream(opened=False, **headers)
            self.assertIn(refused.exception.status, statuses, headers)
            self.assertNotIn("sec-websocket-protocol", refused.exception.headers)

    def test_pings_are_answered_and_fragments_put_together(self):
        """[xmpp 8] [xmpp 9] [xmpp 10] [xmpp 14]"""
        web = self.stream(opened=False)
        half = len(OPEN) // 2
        web.send(PONG, b"stray")
        web.send(TEXT, OPEN[:half].encode(), last=False)
        web.send(PING, b"between")
        web.send(0, OPEN[half:].encode())
        self.assertEqual(web.next(), (PONG, True, b"between"))
        self.assertTrue(web.next_text().startswith("<open "))
        web.next_text()
        both = frame(TEXT, b"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'/>") + frame(TEXT, OPEN.encode())
        web.raw(both)
        self.assertEqual(web.next_element().tag, SASL + "success")
        self.assertEqual(web.next_element().tag, FRAMING + "open")
        web.next_text()
        for octet in frame(TEXT, b"<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>"):
            web.raw(bytes([octet]))
        self.assertIsNotNone(web.next_element().find(BIND + "bind"))

    def test_broken_frames_end_the_connection(self):
        """[xmpp 11] [xmpp 12] [xmpp 13]"""
        for octets, codes in ((frame(TEXT, b"<open/>", mask=False), {1002}), (frame(TEXT, b"<open/>", reserved=0x40), {1002}),
                              (frame(3, b""), {1002}), (frame(TEXT, b"<open \xff/>"), {1007})):
            web = self.stream(opened=False)
            web.raw(octets)
            self.assertIn(web.closed()[0], codes)
            self.assertTrue(web.ended())
        web = self.stream()
        web.send(CLOSE, struct.pack(">H", 1000))
        self.assertEqual(web.closed()[0], 1000)
        self.assertTrue(web.ended())


class Streams(Case):
    def test_the_answer_is_as_common_clients_need_it(self):
        """[xmpp 15] [xmpp 16] [xmpp 17] [xmpp 18] [xmpp 31] [xmpp 35]"""
        web = self.stream()
        self.assertTrue(web.opening.startswith("<open xmlns="), web.opening)
        self.assertEqual(web.features.tag, STREAMS + "features")
        names = [each.text for each in web.features.iter(SASL + "mechanism")]
        self.assertEqual(set(names), {"SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN", "ANONYMOUS"})
        self.assertIsNone(web.features.find("{urn:ietf:params:xml:ns:xmpp-tls}starttls"))
        ids = {web.opening.split('id="')[1].split('"')[0]}
        web.login()
        ids.add(web.opening.split('id="')[1].split('"')[0])
        ids.add(self.stream().opening.split('id="')[1].split('"')[0])
        self.assertEqual(len(ids), 3)

    def test_what_is_no_stream_ends_with_an_error(self):
        """[xmpp 20] [xmpp 21] [xmpp 22] [xmpp 23] [xmpp 24] [xmpp 25] [xmpp 28]"""
        first = OPEN.replace("framing", "framings")
        for text, wanted in ((first, "invalid-namespace"), (OPEN.replace("bus.example", "other.example"), "host-unknown")):
            web = self.stream(opened=False)
            web.say(text)
            self.assertTrue(web.expect_end(wanted)[0].startswith("<open "))
        web = self.stream(opened=False)
        web.say(OPEN.replace(" to=\"bus.example\"", ""))
        web.expect_end("improper-addressing")
        for text, wanted in (("<iq", "not-well-formed"), ("<a xmlns='jabber:client'/><b xmlns='jabber:client'/>", "not-well-formed"),
                             ("<message xmlns='jabber:client'><!-- x --></message>", "restricted-xml"),
                             ("<!DOCTYPE x [<!ENTITY a 'b'>]><message xmlns='jabber:client'>&a;</message>", "restricted-xml"),
                             ("<iq xmlns='jabber:client' type='get' id='1'/>", "not-authorized")):
            web = self.stream()
            web.say(text)
            web.expect_end(wanted)
        web = self.stream()
        web.send(BINARY, b"<presence/>")
        self.assertTrue(any(opcode == CLOSE for opcode in iter(lambda: web.next()[0], CLOSE)) or web.ended())

    def test_large_and_deep_stanzas_are_survived(self):
        """[xmpp 27] [xmpp 29] [xmpp 30]"""
        web = self.login()
        web.message(web.jid, f"<body>{'x' * 65536}</body>")
        self.assertEqual(len(web.next_element().find(CLIENT + "body").text), 65536)
        web.say(" ")
        self.assertEqual(web.ask("get", "<ping xmlns='urn:xmpp:ping'/>").get("type"), "result")
        for inside in ("<a>" * 20000 + "</a>" * 20000, "<a " + " ".join(f"a{i}='1'" for i in range(20000)) + "/>"):
            hurt = self.login(resource="hurt")
            hurt.message(hurt.jid, inside)
            hurt.expect_end("policy-violation")
        hurt = self.login(resource="hurt")
        try:
            hurt.raw(frame(TEXT, b"<message xmlns='jabber:client'><body>" + b"x" * (24 << 20) + b"</body></message>"))
        except OSError:
            pass  # refused by its head
        self.assertTrue(hurt.ended())
        self.assertEqual(web.ask("get", "<ping xmlns='urn:xmpp:ping'/>").get("type"), "result")

    def test_close_is_answered_and_the_socket_closes(self):
        """[xmpp 32]"""
        web = self.login()
        began = time.monotonic()
        web.say('<close xmlns="urn:ietf:params:xml:ns:xmpp-framing"/>')
        self.assertEqual(web.next_text(), '<close xmlns="urn:ietf:params:xml:ns:xmpp-framing" />')
        self.assertLess(time.monotonic() - began, 1)
        self.assertIn(web.closed()[0], (1000, 1005))

    def test_the_older_framing_is_served_in_kind(self):
        """[xmpp 34]"""
        web = self.stream(opened=False)
        web.say("<?xml version='1.0'?><stream:stream to='bus.example' xmlns='jabber:client' "
                "xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>")
        opening = web.next_text()
        self.assertIn("<stream:stream ", opening)
        self.assertFalse(opening.endswith("/>"))
        self.assertTrue(web.next_text().startswith("<stream:features"))
        web.say("</stream:stream>")
        self.assertEqual(web.next_text(), "</stream:stream>")
        self.assertEqual(web.closed()[0], 1005)


class Login(Case):
    def test_passwords_and_keys_let_in(self):
        """[xmpp 35] [xmpp 36] [xmpp 44] [xmpp 45] [xmpp 46]"""
        for name in ("sha1", "sha256"):
            web = self.login(name=name, resource="x7")
            self.assertGreaterEqual(web.iterations, 4096)
            self.assertEqual(web.jid, "ann@bus.example/x7")
            self.assertIsNone(web.bound.get("from"))
            self.assertIsNotNone(web.features.find(BIND + "bind"))
            self.assertEqual(list(web.features.iter(SASL + "mechanism")), [])
            web.close()
        web = self.stream()
        self.assertEqual(web.auth("PLAIN", "\0ann\0secret of ann").tag, SASL + "success")
        web.open().bind("")
        other = self.login(resource="")
        self.assertNotEqual(web.jid, other.jid)
        session = other.ask("set", "<session xmlns='urn:ietf:params:xml:ns:xmpp-session'/>", None)
        self.assertEqual(session.get("type"), "result")

    def test_wrong_passwords_do_not_and_say_nothing_about_names(self):
        """[xmpp 37] [xmpp 38] [xmpp 39] [xmpp 40] [xmpp 43]"""
        answers = []
        for user in ("ann", "nobody"):
            web = self.stream()
            answers.append([(child.tag, child.text) for child in web.scram(user, "wrong")])
            self.assertEqual(web.auth("PLAIN", "bob\0ann\0secret of ann")[0].tag, SASL + "invalid-authzid")
            self.assertEqual(web.auth("X-UNKNOWN")[0].tag, SASL + "invalid-mechanism")
            web.say("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>%%%</auth>")
            self.assertEqual(web.next_element()[0].tag, SASL + "incorrect-encoding")
            self.assertEqual(web.scram("ann", "secret of ann").tag, SASL + "success")
            time.sleep(0.3)
        self.assertEqual(answers[0][0][0], SASL + "not-authorized")
        self.assertEqual(answers[0], answers[1])

    def test_guests_have_names_of_their_own_and_no_place_on_the_bus(self):
        """[xmpp 42]"""
        names = set()
        for initial in (None, "="):
            web = self.stream()
            self.assertEqual(web.auth("ANONYMOUS", initial).tag, SASL + "success")
            web.open().bind("")
            names.add(web.jid.split("@")[0])
        self.assertEqual(len(names), 2)
        web.message("bus.bus.example/(app:x)", "<body>x()</body>", id="g")
        self.assertEqual(condition(web.next_element()), "forbidden")

    def test_guests_write_to_no_account(self):
        guest = self.stream()
        self.assertEqual(guest.auth("ANONYMOUS", None).tag, SASL + "success")
        guest.open().bind("")
        ann = self.login()
        guest.message(ann.jid, "<body>hi</body>", id="m")
        self.assertEqual(condition(guest.next_element()), "forbidden")
        ann.message(guest.jid, "<body>welcome</body>", id="w")
        self.assertEqual(guest.next_element().get("from"), ann.jid)


class Stanzas(Case):
    def test_the_domain_answers_every_question(self):
        """[xmpp 31] [xmpp 47] [xmpp 48] [xmpp 49] [xmpp 53] [xmpp 54] [xmpp 55]"""
        web = self.login()
        ping = web.ask("get", "<ping xmlns='urn:xmpp:ping'/>")
        self.assertEqual((ping.get("type"), ping.get("from")), ("result", "bus.example"))
        self.assertIsNone(web.ask("get", "<ping xmlns='urn:xmpp:ping'/>", None).get("from"))
        items = web.ask("get", "<query xmlns='http://jabber.org/protocol/disco#items'/>")
        self.assertLessEqual({"bus.bus.example", "pubsub.bus.example"}, {each.get("jid") for each in items.iter(DISCO_ITEMS + "item")})
        self.assertEqual(web.ask("get", "<query xmlns='jabber:iq:roster'>\n </query>", "ann@bus.example").get("type"), "result")
        for payload in ("<vCard xmlns='vcard-temp'/>", "<blocklist xmlns='urn:xmpp:blocking'/>", "<query xmlns='jabber:iq:private'/>",
                        "<query xmlns='urn:xmpp:mam:2'/>", "<query xmlns='jabber:iq:version'/>", "<x xmlns='urn:unknown'/>"):
            self.assertIn(condition(web.ask("get", payload)), (None, "service-unavailable"), payload)
        self.assertEqual(web.ask("set", "<enable xmlns='urn:xmpp:carbons:2'/>", None).get("type"), "result")
        devices = "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='urn:xmpp:omemo:2:devices'/></pubsub>"
        self.assertIn(condition(web.ask("get", devices, "ann@bus.example")), ("item-not-found", "service-unavailable"))
        self.assertEqual(condition(web.ask("get", "")), "bad-request")
        self.assertEqual(condition(web.ask("get", "<a xmlns='u'/><b xmlns='u'/>")), "bad-request")
        self.assertEqual(condition(web.ask("get", "<ping xmlns='urn:xmpp:ping'/>", "elsewhere.example")), "remote-server-not-found")
        self.assertEqual(condition(web.ask("get", "<ping xmlns='urn:xmpp:ping'/>", "@bus.example")), "jid-malformed")
        self.assertEqual(condition(web.ask("get", "<ping xmlns='urn:xmpp:ping'/>", "bob@bus.example/gone")), "service-unavailable")

    def test_two_clients_talk_and_nobody_forges(self):
        """[xmpp 26] [xmpp 33] [xmpp 50] [xmpp 51] [xmpp 52]"""
        ann, bob = self.login("ann"), self.login("bob").available()
        text = "a &lt; b &amp; &quot; &#x1F600; <![CDATA[<raw>]]> \U0001F680"
        ann.say(f"<message xmlns='jabber:client' from='mallory@bus.example' to='bob@bus.example'><body>{text}</body>{CHAT_STATE}</message>")
        got = bob.next_element()
        self.assertEqual(got.get("from"), ann.jid)
        self.assertEqual(got.find(CLIENT + "body").text, 'a < b & " \U0001F600 <raw> \U0001F680')
        ann.say(f"<iq xmlns='jabber:client' type='get' id='v' from='ann@bus.example' to='{bob.jid}'><q xmlns='urn:own'/></iq>")
        self.assertEqual(bob.next_element().get("id"), "v")
        bob.say(f"<iq xmlns='jabber:client' type='result' id='v' to='{ann.jid}'/>")
        self.assertEqual(ann.next_element().get("from"), bob.jid)
        bob.close()
        for _ in range(100):
            ann.message("bob@bus.example/r", "<body>x</body>", id="m")
            if condition(ann.next_element()) == "service-unavailable":
                break
            time.sleep(0.05)
        else:
            self.fail("the session of a lost socket is still there")

    def test_a_session_is_resumed_with_what_was_held(self):
        """[xmpp 56] [xmpp 57] [xmpp 58]"""
        ann, bob = self.login("ann"), self.login("bob")
        ann.say("<enable xmlns='urn:xmpp:sm:3' resume='true'/>")
        enabled = ann.next_element()
        self.assertEqual(enabled.tag, SM + "enabled")
        bob.message(ann.jid, "<body>one</body>")
        self.assertEqual(ann.next_element().find(CLIENT + "body").text, "one")
        ann.say("<a xmlns='urn:xmpp:sm:3' h='1'/>")
        ann.say("<a xmlns='urn:xmpp:sm:3' h='0'/>")
        ann.say("<r xmlns='urn:xmpp:sm:3'/>")
        self.assertEqual(ann.next_element().get("h"), "0")
        ann.close()
        bob.message(ann.jid, "<body>two</body>")
        self.tool("mbus-send", "(app:xmpp user:ann)", "three")
        again = self.stream()
        again.scram("ann", "secret of ann")
        again.open()
        again.say("<resume xmlns='urn:xmpp:sm:3' previd='no such' h='0'/>")
        self.assertEqual(again.next_element().tag, SM + "failed")
        again.say(f"<resume xmlns='urn:xmpp:sm:3' previd='{enabled.get('id')}' h='0'/>")
        self.assertEqual(again.next_element().tag, SM + "resumed")
        bodies = []
        while len(bodies) < 2:
            got = again.next_element()
            if got.tag == CLIENT + "message":
                bodies.append(got.find(CLIENT + "body").text)
        self.assertEqual(bodies, ["two", "three()"])


class Bus(Case):
    def test_messages_cross_in_both_directions(self):
        web = self.login()
        listener = subprocess.Popen([os.path.join(BIN, "mbus-listen"), "-j", "-n", "1", "(app:ear)"], env=self.environment,
                                    stdout=subprocess.PIPE, text=True)
        self.addCleanup(listener.stdout.close)
        self.addCleanup(listener.wait)
        self.addCleanup(listener.kill)
        for _ in range(100):
            found = web.ask("get", "<query xmlns='http://jabber.org/protocol/disco#items'/>", "bus.bus.example/(app:ear)")
            items = list(found.iter(DISCO_ITEMS + "item"))
            if items:
                break
            time.sleep(0.1)
        self.assertEqual(len(items), 1)
        info = web.ask("get", "<query xmlns='http://jabber.org/protocol/disco#info'/>", "bus.bus.example")
        self.assertIn("urn:x-mbus:1", {each.get("var") for each in info.iter(DISCO_INFO + "feature")})
        web.message(items[0].get("jid"), "<command xmlns='urn:x-mbus:1' name='play'><string>a.mp3</string><integer>3</integer></command>"
                    "<request xmlns='urn:xmpp:receipts'/>", id="m1")
        receipt = web.next_element()
        self.assertEqual(receipt.find("{urn:xmpp:receipts}received").get("id"), "m1")
        self.assertEqual(receipt.find(BUS + "delivered").get("entity"), items[0].get("name"))
        line = json.loads(listener.stdout.readline())
        self.assertEqual(line["cmds"], [{"name": "play", "args": ["a.mp3", 3]}])
        self.assertEqual(line["src"]["user"], "ann")
        self.tool("mbus-send", "(app:xmpp user:ann)", "state", "on", "2.5", '"x"')
        got = web.next_element()
        self.assertTrue(got.get("from").startswith("bus.bus.example/("))
        self.assertEqual(got.find(CLIENT + "body").text, 'state(on 2.5 "x")')
        self.assertEqual([each.tag for each in got.find(BUS + "command")], [BUS + "symbol", BUS + "float", BUS + "string"])
        web.message("bus.bus.example/(app:nobody)", "<body>x()</body><request xmlns='urn:xmpp:receipts'/>", id="m2")
        self.assertEqual(condition(web.next_element()), "item-not-found")

    def test_presence_reports_who_joins_and_leaves(self):
        web = self.login()
        web.say("<presence xmlns='jabber:client' type='subscribe' to='bus.bus.example/(app:xmpp user:bob)'/>")
        self.assertEqual(web.next_element().get("type"), "subscribed")
        bob = self.login("bob", resource="seen")
        joined = web.next_element()
        self.assertIn("user:bob", joined.get("from"))
        self.assertIsNone(joined.get("type"))
        bob.close()
        left = web.next_element()
        self.assertEqual((left.get("type"), left.get("from")), ("unavailable", joined.get("from")))

    def test_an_iq_is_a_request_and_its_result_the_reply(self):
        """The daemon's own entity answers."""
        web = self.login()
        got = web.ask("set", "<command xmlns='urn:x-mbus:1' name='mbusd.status'/>", "bus.bus.example/(module:mbusd)")
        self.assertEqual(got.get("type"), "result")
        self.assertIsNotNone(got.find(BUS + "reply"))


class Accounts(unittest.TestCase):
    def setUp(self):
        folder = scratch()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.daemon = Daemon(os.path.join(BIN, "mbusd"), self.folder, TOML.format(folder=self.folder)).start()
        self.addCleanup(self.daemon.__exit__)
        self.environment = dict(os.environ, MBUS_SOCKET=self.daemon.socket, MBUS=self.daemon.key, HOME=self.folder)

    def client(self, *words, code=0, given=""):
        done = subprocess.run([os.path.join(BIN, "mbus"), "client", *words], text=True, capture_output=True, timeout=60,
                              env=self.environment, input=given, start_new_session=True)
        self.assertEqual(done.returncode, code, f"{words}\nstdout: {done.stdout}\nstderr: {done.stderr}")
        return done

    def get_in(self, password):
        web = Xmpp(PORT)
        self.addCleanup(web.close)
        return web, web.scram("ann", password).tag == SASL + "success"

    def test_an_account_survives_kill_9_and_ends_with_rm(self):
        self.client("add", "--xmpp", "ann", "--password-file", "-", given="the first one\n")
        self.daemon.stop(signal.SIGKILL)
        self.daemon.start()
        web, inside = self.get_in("the first one")
        self.assertTrue(inside)
        web.open().bind()
        path = f"{self.folder}/password"
        with open(path, "w") as file:
            file.write("second\nignored\n")
        self.assertIn("--replace", self.client("add", "--xmpp", "ann", "--password-file", path, code=6).stderr)
        self.client("add", "--xmpp", "ann", "--password-file", path, "--replace")
        web.expect_end("not-authorized")
        self.assertFalse(self.get_in("the first one")[1])
        time.sleep(1)
        self.assertTrue(self.get_in("second")[1])
        self.assertEqual(json.loads(self.client("ls", "-j").stdout)["kind"], "xmpp")
        self.client("rm", "ann")
        self.assertFalse(self.get_in("second")[1])
        for name in os.listdir(f"{self.folder}/state"):
            with open(f"{self.folder}/state/{name}", "rb") as file:
                octets = file.read()
            self.assertNotIn(b"the first one", octets)

    def test_what_makes_no_sense_is_said(self):
        self.assertIn("capital", self.client("add", "--xmpp", "Ann", "--password-file", "-", code=2, given="x\n").stderr)
        self.assertIn("empty", self.client("add", "--xmpp", "ann", "--password-file", "-", code=2).stderr)
        self.assertIn("--xmpp", self.client("add", "ann", "--password-file", "-", code=2).stderr)
        self.assertIn("no terminal", self.client("add", "--xmpp", "ann", code=2).stderr)

    def on_terminal(self, *answers):
        """The tool on a terminal of its own: what it shows, and its exit status."""
        child, terminal = pty.fork()
        if child == 0:
            os.execve(os.path.join(BIN, "mbus"), ["mbus", "client", "add", "--xmpp", "ann"], self.environment)
        shown = b""
        for prompt, answer in zip((b"Password: ", b"more: "), answers):
            while prompt not in shown:
                shown += os.read(terminal, 1024)
            os.write(terminal, answer.encode() + b"\n")
        try:
            while got := os.read(terminal, 1024):
                shown += got
        except OSError:
            pass
        os.close(terminal)
        return shown.decode(), os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    def test_a_password_is_asked_for_twice_and_never_shown(self):
        shown, code = self.on_terminal("from the keyboard", "from the keyboard")
        self.assertEqual(code, 0, shown)
        self.assertNotIn("keyboard", shown)
        self.assertTrue(self.get_in("from the keyboard")[1])

    def test_two_passwords_that_differ_change_nothing(self):
        shown, code = self.on_terminal("one", "other")
        self.assertEqual(code, 2)
        self.assertIn("differ", shown)
        self.assertEqual(self.client("ls").stdout, "")

    def test_endless_guessing_is_ended(self):
        """[xmpp 41]"""
        web = Xmpp(PORT)
        self.addCleanup(web.close)
        with self.assertRaises((Closed, AssertionError)):
            for _ in range(10):
                web.scram("ann", "wrong")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    BIN = os.path.abspath(sys.argv.pop(1))
    if os.geteuid() != 0 or not private_network():
        print("skipped: needs root for a network namespace")
        sys.exit(77)
    unittest.main(verbosity=2)
