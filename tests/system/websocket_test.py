#!/usr/bin/env python3
"""The real mbusd at /mbws: Python's websockets in the text and the binary binding, and sockets by hand that
break the rules.

    websocket_test.py BIN [TEST...]         # BIN: the folder of mbusd and mbus

Runs in a network namespace of its own (needs root); without one it says so and exits 77 (skipped)."""

import asyncio
import os
import re
import socket
import struct
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from mbws_raw import REDELIVERED, Client, Daemon, Frame, encode, private_network, scratch  # noqa: E402
from websocket_raw import (BINARY, CLOSE, CONTROL, DATA, PING, PONG, TEXT, Refused, Socket, frame, request)  # noqa: E402

try:
    import websockets
except ImportError:
    websockets = None

BIN = None


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Gateway(Daemon):
    """mbusd with its gateway on a free port of loopback, and a token for it."""

    def __init__(self, folder, more=""):
        self.port = free_port()
        super().__init__(os.path.join(BIN, "mbusd"), folder,
                         f'[state]\ndirectory = "{folder}/state"\n[gateway]\nenabled = true\n'
                         f'listen = ["127.0.0.1:{self.port}"]\n{more}')
        os.makedirs(f"{folder}/state", exist_ok=True)

    def start(self, *more):
        super().start(*more)
        self.wait_for_log("gateway ready")
        return self

    def token(self, name, *rights):
        made = subprocess.run([os.path.join(BIN, "mbus"), "client", "add", name, *rights], capture_output=True, text=True,
                              timeout=30, env={**os.environ, "MBUS_SOCKET": self.socket})
        assert made.returncode == 0, made.stderr
        return re.search(r"[A-Za-z0-9_-]{43}", made.stdout).group(0)


class WebSocketCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = scratch()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.daemon = Gateway(cls.folder.name).start()
        cls.addClassCleanup(cls.daemon.__exit__)
        cls.token = cls.daemon.token("tester", "--attach", "()", "--send", "()")

    def open(self, **headers):
        headers.setdefault("Authorization", f"Bearer {self.token}")
        made = Socket(self.daemon.port, **headers)
        self.addCleanup(made.close)
        return made

    def session(self, **headers):
        made = self.open(**headers)
        made.mbws("connect", version=1, name="raw")
        made.connected = made.expect("connected")
        return made

    def local(self):
        client = Client(self.daemon.socket)
        self.addCleanup(client.close)
        client.entity = client.attach("(app:local)")
        return client

    def assert_closed(self, connection, code, reason):
        got, text, before = connection.closed()
        self.assertEqual(got, code, text)
        self.assertRegex(text, reason)
        self.assertLessEqual(len(text.encode()), 123)
        return before


class Handshake(WebSocketCase):
    def refused(self, status, **headers):
        with self.assertRaises(Refused) as caught:
            self.open(**headers)
        self.assertEqual(caught.exception.status, status, caught.exception.body)
        return caught.exception

    def test_the_answer_names_the_subprotocol_alone(self):
        made = self.open(Sec_WebSocket_Protocol="chat, mbws , other", Sec_WebSocket_Extensions="permessage-deflate")
        self.assertEqual(made.headers["sec-websocket-protocol"], "mbws")
        self.assertNotIn("sec-websocket-extensions", made.headers)

    def test_the_extension_is_confirmed_when_offered(self):
        made = self.open(Sec_WebSocket_Extensions="permessage-deflate, mbws")
        self.assertEqual(made.headers["sec-websocket-extensions"], "mbws")

    def test_without_the_subprotocol_the_answer_names_it(self):
        for value in (None, "chat", "MBWS", "mbws.huawei.com"):
            self.assertIn("mbws", self.refused(400, Sec_WebSocket_Protocol=value).body)

    def test_what_is_no_handshake_is_told_what_is_wanted(self):
        self.assertIn("WebSocket", self.refused(426, Upgrade=None).body)
        self.assertEqual(self.refused(426, Sec_WebSocket_Version="8").headers["sec-websocket-version"], "13")
        self.assertIn("Sec-WebSocket-Key", self.refused(400, Sec_WebSocket_Key="short").body)

    def test_a_wrong_token_is_refused_with_the_remedy(self):
        wrong = self.refused(401, Authorization="Bearer " + "x" * 43)
        self.assertIn("mbus client add", wrong.body)
        self.assertIn("Bearer", wrong.headers["www-authenticate"])
        self.refused(401, Authorization="Basic YTpi")

    def test_a_foreign_origin_is_refused_with_the_setting(self):
        self.assertIn("gateway.origins", self.refused(403, Origin="https://elsewhere.example").body)
        self.open(Origin=f"http://localhost:{self.daemon.port}")

    def test_a_browser_gives_its_token_in_connect(self):
        made = self.open(Authorization=None)
        made.mbws("connect", version=1, name="page", auth=self.token)
        made.expect("connected")

    def test_a_wrong_token_in_connect_is_unauthorized(self):
        for fields in ({}, {"auth": "x" * 43}):
            made = self.open(Authorization=None)
            made.mbws("connect", version=1, name="page", **fields)
            self.assertEqual(made.expect("error").code, "unauthorized")
            self.assert_closed(made, 1008, "^unauthorized: .*mbus client add")

    def test_the_handshake_may_be_followed_by_frames_at_once(self):
        with socket.create_connection(("127.0.0.1", self.daemon.port)) as made:
            text = request(host=f"localhost:{self.daemon.port}", Authorization=f"Bearer {self.token}")
            made.sendall(text.encode() + frame(BINARY, encode("connect", version=1, name="eager")))
            made.settimeout(10)
            got = b""
            while b"mbus" not in got.split(b"\r\n\r\n", 1)[-1] and b"\r\n\r\n\x82" not in got:
                got += made.recv(4096)
            self.assertIn(b" 101 ", got)


class BadInput(WebSocketCase):
    """Each with the close code of docs/mbws.md, section 7.4, and a reason."""

    def test_reserved_opcodes_without_the_extension(self):
        for opcode, body in ((DATA, encode("message", 1, to="()")), (CONTROL, encode("ack", 1)), (4, b""), (15, b"")):
            made = self.session()
            made.send(opcode, body)
            before = self.assert_closed(made, 1002, "^bad-frame: .*opcode")
            self.assertEqual(Frame(before[-1][1]).code, "bad-frame")

    def test_a_frame_that_is_not_masked(self):
        made = self.session()
        made.send(BINARY, encode("ping"), mask=False)
        self.assert_closed(made, 1002, "masked")

    def test_compression_was_not_offered(self):
        made = self.session(Sec_WebSocket_Extensions="permessage-deflate")
        made.send(TEXT, b"\xcaH\xcd\xc9\xc9\x07\x00", reserved=0x40)
        self.assert_closed(made, 1002, "RSV")

    def test_a_fragmented_control_frame(self):
        made = self.session()
        made.send(PING, b"x", last=False)
        self.assert_closed(made, 1002, "control frame")

    def test_text_that_is_not_utf8_also_in_an_unfinished_frame(self):
        made = self.session()
        made.send(TEXT, b"message\n\n\xff")
        self.assert_closed(made, 1007, "UTF-8")
        made = self.session()
        made.send(TEXT, b"message\n\n\xc0\x80", last=False)
        self.assert_closed(made, 1007, "UTF-8")

    def test_an_oversize_message_is_refused_from_its_head(self):
        made = self.session()
        made.attach = made.mbws("attach", request=1, entity="(app:big)")
        made.expect("ok")
        made.raw(struct.pack(">BBQ", 0x82, 0xFF, 1 << 40) + b"mask")
        self.assert_closed(made, 1009, "^too-large: ")

    def test_endless_empty_fragments(self):
        made = self.session()
        made.send(BINARY, last=False)
        try:
            for _ in range(5000):
                made.send(0, last=False)
        except OSError:
            pass  # closed already
        self.assert_closed(made, 1008, "empty fragments")

    def test_what_is_no_frame(self):
        for opcode, body in ((BINARY, b"nonsense"), (TEXT, b"message x\n"), (BINARY, encode("ping") + b"x")):
            made = self.session()
            made.send(opcode, body)
            self.assert_closed(made, 1002, "^bad-frame: ")

    def test_the_first_text_message_is_no_frame_and_told_so_in_text(self):
        made = self.open()
        made.send(TEXT, b"connect\nversion: one\n")
        before = self.assert_closed(made, 1002, "^bad-frame: ")
        self.assertEqual(before[-1][0], TEXT)
        self.assertTrue(before[-1][1].startswith(b"error\ncode: bad-frame\n"), before)

    def test_a_first_frame_other_than_connect(self):
        made = self.open()
        made.mbws("ping")
        self.assert_closed(made, 1002, "connect")

    def test_no_connect_within_five_seconds(self):
        began = time.monotonic()
        made = self.open()
        self.assert_closed(made, 1002, "5 seconds")
        self.assertGreater(time.monotonic() - began, 4)

    def test_the_server_waits_for_our_close_frame_and_no_longer(self):
        made = self.open()
        made.mbws("ping")
        self.assert_closed(made, 1002, "connect")
        made.send(CLOSE, struct.pack(">H", 1002))
        self.assertTrue(made.ended(2))
        silent = self.open()
        silent.mbws("ping")
        self.assertTrue(silent.ended(10))

    def test_the_daemon_is_none_the_worse(self):
        self.session()


class Sessions(WebSocketCase):
    def test_a_session_on_a_websocket_has_a_window_and_an_expiry(self):
        connected = self.session().connected
        self.assertEqual(connected.window, 256)
        self.assertEqual(connected.expiry, 60)

    def test_messages_from_the_local_socket_and_back(self):
        web = self.session()
        web.mbws("attach", request=1, entity="(app:web)")
        entity = web.expect("ok").entity
        local = self.local()
        local.send("message", to="(app:web)", body=b"a.b (1)")
        got = web.expect("message")
        self.assertEqual((got.number, got.body, got.to), (1, b"a.b (1)", "(app:web)"))
        web.mbws("ack", 1)
        web.mbws("message", 1, 2, b"c.d (2)", to="(app:local)")
        self.assertEqual(local.expect("message").from_, entity)
        self.assertEqual(web.expect("receipt").matched, 1)

    def test_pings_of_websocket_are_answered_between_fragments(self):
        web = self.session()
        octets = encode("attach", request=1, entity="(app:parts)")
        web.send(BINARY, octets[:10], last=False)
        web.send(PING, b"are you there")
        self.assertEqual(web.next(), (PONG, True, b"are you there"))
        web.send(0, octets[10:])
        web.expect("ok")

    def test_a_close_frame_leaves_the_session_which_then_resumes(self):
        web = self.session()
        web.mbws("attach", request=1, entity="(app:again)")
        web.expect("ok")
        web.send(CLOSE, struct.pack(">H", 1001) + b"reload")
        self.assertEqual(web.closed()[0], 1001)
        self.assertTrue(web.ended())
        self.local().send("message", to="(app:again)", body=b"late.one ()")
        again = self.open()
        again.mbws("connect", version=1, name="raw", session=web.connected.session, received=0)
        connected = again.expect("connected")
        self.assertEqual(connected.resumed, 1)
        got = again.expect("message")
        self.assertEqual((got.number, got.body), (1, b"late.one ()"))

    def test_what_was_not_acknowledged_comes_again(self):
        web = self.session()
        web.mbws("attach", request=1, entity="(app:twice)")
        web.expect("ok")
        local = self.local()
        for i in range(3):
            local.send("message", to="(app:twice)", body=b"n (%d)" % i)
        self.assertEqual([web.expect("message").number for _ in range(3)], [1, 2, 3])
        web.close()
        again = self.open()
        again.mbws("connect", version=1, name="raw", session=web.connected.session, received=1)
        self.assertEqual(again.expect("connected").resumed, 1)
        got = [again.expect("message") for _ in range(2)]
        self.assertEqual([(each.number, each.flags & REDELIVERED) for each in got], [(2, REDELIVERED), (3, REDELIVERED)])

    def test_a_takeover_is_told(self):
        web = self.session()
        other = self.open()
        other.mbws("connect", version=1, name="raw", session=web.connected.session, received=0)
        self.assertEqual(other.expect("connected").resumed, 1)
        self.assertEqual(web.expect("error").code, "taken-over")
        self.assert_closed(web, 1008, "^taken-over: ")

    def test_the_verb_close_ends_with_1000(self):
        web = self.session()
        web.mbws("close")
        web.expect("close")
        self.assert_closed(web, 1000, "^$")


class Native(WebSocketCase):
    def session(self):
        made = self.open(Sec_WebSocket_Extensions="mbws")
        made.mbws("connect", version=1, name="native")
        made.connected = made.expect("connected")
        made.mbws("attach", request=1, entity="(app:native)")
        made.entity = made.expect("ok").entity
        return made

    def test_a_long_message_comes_in_frames_and_is_whole(self):
        web, local = self.session(), self.local()
        body = b'long.one ("' + b"x" * 200000 + b'")'
        # By its full address: what could be for others on the bus must fit a datagram.
        local.send("message", to=web.entity, body=body)
        octets, codes, last = b"", [], False
        while not last:
            opcode, last, payload = web.next()
            self.assertLessEqual(len(payload), 65535)
            octets += payload
            codes.append(opcode)
        self.assertEqual(codes, [DATA, 0, 0, 0])
        self.assertEqual(Frame(octets).body, body)

    def test_acknowledgements_are_control_frames(self):
        web, local = self.session(), self.local()
        octets = encode("message", 1, body=b'x.y ("' + b"z" * 3000 + b'")', to="(app:local)")
        web.send(DATA, octets[:100], last=False)
        web.send(CONTROL, encode("ping", body=b"between"))
        self.assertEqual(web.expect("pong", CONTROL).body, b"between")
        web.send(0, octets[100:])
        self.assertEqual(len(local.expect("message").body), 3008)
        self.assertEqual(web.expect("ack", CONTROL).number, 1)

    def test_wrong_opcodes_are_protocol_errors(self):
        header = len(encode("message", 1, to="(app:x)"))
        octets = encode("message", 1, body=b"a.b()", to="(app:x)")
        for frames in ([(BINARY, octets, True)], [(DATA, encode("ack", 1), True)], [(CONTROL, encode("close"), True)],
                       [(CONTROL, encode("ack", 1), False)], [(DATA, octets[:header - 1], False), (0, octets[header - 1:], True)],
                       [(DATA, octets + b"x", True)]):
            web = self.session()
            for opcode, payload, last in frames:
                web.send(opcode, payload, last=last)
            self.assert_closed(web, 1002, "^bad-frame: ")


@unittest.skipIf(websockets is None, "python3-websockets is not installed")
class ThirdParty(WebSocketCase):
    """From the documentation alone: Python's websockets."""

    def run_with(self, talk, **options):
        async def go():
            uri = f"ws://localhost:{self.daemon.port}/mbws"
            headers = {"Authorization": f"Bearer {self.token}"}
            async with websockets.connect(uri, subprotocols=["mbws"], extra_headers=headers, **options) as web:
                self.assertEqual(web.subprotocol, "mbws")
                await asyncio.wait_for(talk(web), 30)
        asyncio.run(go())

    def test_the_text_binding(self):
        async def talk(web):
            await web.send("connect\nversion: 1\nname: python\n")
            self.assertRegex(await web.recv(), r"^connected\n(?s:.*)session: [A-Za-z0-9_-]{32,64}\n")
            await web.send("attach\nrequest: 1\nentity: (app:texts)\n")
            self.assertIn("entity: (app:texts id:", await web.recv())
            local = await asyncio.to_thread(self.local)
            local.send("message", to="(app:texts)", body='say.to ("Grüße")'.encode())
            text = await web.recv()
            self.assertTrue(text.startswith("message 1\n"), text)
            self.assertTrue(text.endswith('\n\nsay.to ("Grüße")'), text)
            await web.send("ack 1\n")
            await web.send("message 1\nto: (app:local)\nreceipt: yes\n\nhello.there (1)")
            self.assertEqual((await asyncio.to_thread(local.expect, "message")).body, b"hello.there (1)")
            while (text := await web.recv()).startswith("ack"):
                pass
            self.assertTrue(text.startswith("receipt"), text)
            self.assertIn("matched: 1", text)
            await (await web.ping())
            await web.send("close\n")
            while not (text := await web.recv()).startswith("close"):
                self.assertTrue(text.startswith("ack"), text)
            await web.wait_closed()
            self.assertEqual(web.close_code, 1000)
        self.run_with(talk)

    def test_a_body_that_is_no_text_comes_in_binary(self):
        async def talk(web):
            await web.send("connect\nversion: 1\nname: python\n")
            await web.recv()
            await web.send("attach\nrequest: 1\nentity: (app:octets)\ntype: */*\n")
            await web.recv()
            local = await asyncio.to_thread(self.local)
            local.send("message", to="(app:octets)", body=b"\xff\x00\xfe", type="image/x-test")
            got = Frame(await web.recv())
            self.assertEqual((got.body, got.type), (b"\xff\x00\xfe", "image/x-test"))
        self.run_with(talk)

    def test_the_binary_binding_with_large_messages(self):
        async def talk(web):
            await web.send(encode("connect", version=1, name="python"))
            self.assertEqual(Frame(await web.recv()).verb, "connected")
            await web.send(encode("attach", request=1, entity="(app:large)"))
            entity = Frame(await web.recv()).entity
            local = await asyncio.to_thread(self.local)
            body = b'big ("' + b"y" * 500000 + b'")'
            await asyncio.to_thread(local.send, "message", body=body, to=entity)
            self.assertEqual(Frame(await web.recv()).body, body)
            octets = encode("message", 1, 2, body, to=local.entity)
            await web.send([octets[i:i + 65536] for i in range(0, len(octets), 65536)])
            self.assertEqual((await asyncio.to_thread(local.expect, "message")).body, body)
        self.run_with(talk, max_size=None)


class Shutdown(unittest.TestCase):
    def test_stopping_closes_with_1001(self):
        with scratch() as folder, Gateway(folder) as daemon:
            token = daemon.token("tester")
            waiting = Socket(daemon.port, Authorization=f"Bearer {token}")
            web = Socket(daemon.port, Authorization=f"Bearer {token}")
            web.mbws("connect", version=1, name="raw")
            web.expect("connected")
            daemon.process.terminate()
            self.assertEqual(web.expect("error").code, "shutting-down")
            for each in (web, waiting):
                code, reason, _ = each.closed()
                self.assertEqual(code, 1001, reason)
                self.assertTrue(reason.startswith("shutting-down: "))
                each.send(CLOSE, struct.pack(">H", 1001))
                each.close()
            self.assertEqual(daemon.process.wait(10), 0)


if __name__ == "__main__":
    BIN = os.path.abspath(sys.argv.pop(1))
    if not private_network():
        print("skipped: needs root for a network namespace of its own")
        sys.exit(77)
    unittest.main(verbosity=1, warnings="ignore")
