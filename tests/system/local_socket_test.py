#!/usr/bin/env python3
"""The real mbusd on its Unix socket, spoken to with MBWS frames made by hand.

    local_socket_test.py MBUSD [TEST...]

Runs in a network namespace of its own (needs root); without one it says so and exits 77 (skipped)."""

import json
import os
import pwd
import signal
import stat
import struct
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from mbws_raw import (Client, Closed, Daemon, RECEIPT, RELIABLE, REDELIVERED, VERBS, encode, private_network,  # noqa: E402
                      scratch)

MBUSD = None


class LocalSocket(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = scratch()
        cls.daemon = Daemon(MBUSD, cls.folder.name).start()

    @classmethod
    def tearDownClass(cls):
        cls.daemon.__exit__()
        cls.folder.cleanup()

    def client(self, **fields):
        client = self.daemon.client(**fields)
        self.addCleanup(client.close)
        return client

    def pair(self, app, **fields):
        """A receiver attached as (app:APP) and a sender."""
        receiver, sender = self.client(), self.client(**fields)
        address = receiver.attach(f"(app:{app})")
        sender.attach("(app:sender)")
        return receiver, sender, address

    # --- connect and attach ------------------------------------------------------------------

    def test_connect_is_answered_with_what_holds(self):
        connected = self.client().connected
        self.assertEqual(connected.version, 1)
        self.assertEqual(connected.window, 0)
        self.assertEqual(connected.expiry, 0)
        self.assertEqual(connected.resumed, 0)
        self.assertGreaterEqual(connected.size, 128 * 1024)
        self.assertRegex(connected.session, "^[A-Za-z0-9_-]{32,64}$")
        self.assertRegex(connected.broker, "^[0-9a-f]{16}$")

    def test_attach_adds_the_id_with_our_process_id(self):
        entity = self.client().attach("(app:ui module:ui)")
        self.assertRegex(entity, rf"^\(app:ui id:{os.getpid()}-[0-9]+@127\.0\.0\.1 module:ui\)$")

    def test_a_full_address_exists_once(self):
        first, second = self.client(), self.client()
        entity = first.attach("(app:once)")
        second.send("attach", request=1, entity=entity)
        self.assertEqual(second.expect("nak").code, "conflict")

    def test_an_address_is_free_again_after_the_session(self):
        first = self.client()
        entity = first.attach("(app:again)")
        first.send("close")
        first.expect("close")
        self.assertEqual(self.client().attach(entity), entity)

    def test_queue_grant_and_revoke_are_refused_with_a_reason(self):
        client = self.client(window=16)
        client.send("attach", request=1, mode="queue", queue="jobs", entity="(app:jobs)")
        nak = client.expect("nak")
        self.assertEqual((nak.code, nak.request), ("not-found", 1))
        client.attach("(app:x)", request=2)
        client.send("grant", request=3)
        self.assertEqual(client.expect("nak").code, "not-found")
        client.send("revoke", request=4, url="http://127.0.0.1/cap/x")
        self.assertEqual(client.expect("nak").code, "not-found")

    # --- messages ----------------------------------------------------------------------------

    def test_a_message_reaches_who_answers_to_the_address(self):
        receiver, sender, _ = self.pair("b1")
        body = b'demo.text ("hi" 1 2.5 sym)\r\n'
        sender.send("message", to="(app:b1)", body=body)
        message = receiver.expect("message")
        self.assertEqual(message.body, body)
        self.assertEqual(message.to, "(app:b1)")
        self.assertRegex(message.from_, r"^\(app:sender id:")
        self.assertLess(abs(message.time - time.time() * 1000), 60000)
        self.assertTrue(sender.silent())

    def test_everyone_but_the_sender_gets_what_goes_to_everyone(self):
        receiver, sender, _ = self.pair("b2")
        sender.send("message", to="()", body=b"demo.all ()")
        self.assertEqual(receiver.expect("message").body, b"demo.all ()")
        self.assertTrue(sender.silent())

    def test_a_receipt_tells_how_many_matched(self):
        receiver, sender, _ = self.pair("b3")
        sender.send("message", 7, RECEIPT, to="(app:b3)", body=b"a ()")
        receipt = sender.expect("receipt")
        self.assertEqual((receipt.about, receipt.matched), (7, 1))
        sender.send("message", 8, RECEIPT, to="(app:nobody)", body=b"a ()")
        self.assertEqual(sender.expect("receipt").matched, 0)
        receiver.expect("message")

    def test_a_reliable_message_ends_in_one_receipt(self):
        receiver, sender, address = self.pair("b4")
        sender.send("message", 1, RELIABLE, to="(app:b4)", body=b"a ()")
        receipt = sender.expect("receipt")
        self.assertEqual((receipt.about, receipt.matched, receipt.entity, receipt.tried), (1, 1, address, 1))
        self.assertNotIn("code", receipt.fields)
        self.assertEqual(receiver.expect("message").flags & RELIABLE, RELIABLE)
        sender.send("message", 2, RELIABLE, to="(app:nobody)", body=b"a ()")
        self.assertEqual(sender.expect("receipt").code, "no-match")
        second = self.client()
        second.attach("(app:b4)")
        sender.send("message", 3, RELIABLE, to="(app:b4)", body=b"a ()")
        receipt = sender.expect("receipt")
        self.assertEqual((receipt.code, receipt.matched), ("not-unique", 2))
        self.assertTrue(second.silent())

    def test_what_is_wrong_with_a_message_comes_as_nak(self):
        sender = self.client()
        sender.send("message", 1, RECEIPT, to="()", body=b"a ()")
        self.assertEqual(sender.expect("nak").code, "no-entity")
        sender.attach("(app:sender)")
        for number, (to, body, code) in enumerate([("(app:x", b"a ()", "bad-address"), ("()", b"a (", "bad-command"),
                                                   ("()", b"mbus.hello ()", "bad-command"),
                                                   ("()", b"mbus.bye ()", "bad-command"),
                                                   ("()", b'a ("' + b"x" * 70000 + b'")', "too-large")], start=2):
            sender.send("message", number, RECEIPT, to=to, body=body)
            nak = sender.expect("nak")
            self.assertEqual((nak.about, nak.code), (number, code), nak)
            self.assertTrue(nak.text)
        self.assertIn("65507", nak.text)

    def test_a_large_message_to_a_full_local_address_passes(self):
        receiver, sender, address = self.pair("b5")
        body = b'a ("' + b"x" * 200000 + b'")'
        sender.send("message", 1, RELIABLE, to=address, body=body)
        self.assertEqual(receiver.expect("message").body, body)
        self.assertNotIn("code", sender.expect("receipt").fields)

    def test_from_must_be_an_entity_of_the_session(self):
        receiver, sender, address = self.pair("b6")
        sender.send("message", 1, RECEIPT, to="(app:b6)", from_=address, body=b"a ()")
        self.assertEqual(sender.expect("nak").code, "forbidden")
        self.assertTrue(receiver.silent())

    def test_ping_is_for_the_bus_and_not_delivered(self):
        receiver, sender, _ = self.pair("b7")
        sender.send("message", to="(app:b7)", body=b"mbus.ping ()")
        sender.send("message", to="(app:b7)", body=b"mbus.ping ()\r\na.b ()\r\n")
        self.assertIn(receiver.expect("message").body.strip(), (b"a.b()", b"a.b ()"))
        self.assertTrue(receiver.silent())

    def test_command_globs_choose(self):
        receiver, sender = self.client(), self.client()
        receiver.attach("(app:globs)", command="a.*,b")
        sender.attach("(app:sender)")
        for body in (b"c ()", b"a.x ()", b"c ()\r\nb ()"):
            sender.send("message", to="(app:globs)", body=body)
        self.assertEqual(receiver.expect("message").body, b"a.x ()")
        self.assertEqual(receiver.expect("message").body, b"c ()\r\nb ()")
        self.assertTrue(receiver.silent())

    def test_an_opaque_body_arrives_as_it_is_or_as_a_command(self):
        opaque, plain, sender = self.client(), self.client(), self.client()
        opaque.attach("(app:op)", type="image/png")
        plain.attach("(app:op)")
        sender.attach("(app:sender)")
        sender.send("message", to="(app:op)", type="image/png", body=b"\x00\x01\x02")
        message = opaque.expect("message")
        self.assertEqual((message.type, message.body), ("image/png", b"\x00\x01\x02"))
        message = plain.expect("message")
        self.assertNotIn("type", message.fields)
        self.assertIn(b'mbws.data', message.body)
        self.assertIn(b'("image/png" <AAEC>)', message.body)

    def test_entity_is_told_where_the_session_has_several(self):
        receiver, sender = self.client(), self.client()
        first = receiver.attach("(app:two n:1)", 1)
        second = receiver.attach("(app:two n:2)", 2)
        sender.attach("(app:sender)")
        sender.send("message", to="(app:two)", body=b"a ()")
        self.assertEqual({receiver.expect("message").entity, receiver.expect("message").entity}, {first, second})

    def test_detach_ends_deliveries(self):
        receiver, sender, _ = self.pair("b8")
        receiver.send("detach", request=9, about=1)
        receiver.expect("ok")
        sender.send("message", 1, RECEIPT, to="(app:b8)", body=b"a ()")
        self.assertEqual(sender.expect("receipt").matched, 0)
        self.assertTrue(receiver.silent())

    def test_a_monitor_sees_messages_of_others(self):
        receiver, sender, _ = self.pair("b9")
        monitor = self.client()
        monitor.send("attach", request=1, entity="(app:b9)", mode="monitor")
        monitor.expect("ok")
        sender.send("message", to="(app:b9)", body=b"seen ()")
        copy = monitor.expect("message")
        self.assertEqual((copy.mode, copy.to, copy.body), ("monitor", "(app:b9)", b"seen ()"))
        receiver.expect("message")

    # --- watch, ping, close --------------------------------------------------------------------

    def test_watch_tells_who_is_there_and_who_comes_and_goes(self):
        watcher, other = self.client(), self.client()
        present = other.attach("(app:w k:1)")
        watcher.send("watch", request=5, to="(app:w)")
        entity = watcher.expect("entity")
        self.assertEqual((entity.entity, entity.state, entity.request), (present, "present", 5))
        self.assertEqual(watcher.expect("ok").matched, 1)
        third = self.client()
        joined = third.attach("(app:w k:2)")
        entity = watcher.expect("entity")
        self.assertEqual((entity.entity, entity.state), (joined, "joined"))
        third.close()
        entity = watcher.expect("entity")
        self.assertEqual((entity.entity, entity.state), (joined, "left"))

    def test_ping_is_answered_with_its_body(self):
        client = self.client()
        client.send("ping", body=b"abc")
        self.assertEqual(client.expect("pong").body, b"abc")

    def test_close_is_answered_and_ends_the_connection(self):
        client = self.client()
        client.send("close")
        client.expect("close")
        with self.assertRaises(Closed):
            client.next()

    # --- sessions that outlive their connection --------------------------------------------------

    def test_a_session_is_resumed_with_what_waited(self):
        receiver = self.client(window=16, expiry=60)
        address = receiver.attach("(app:res)")
        sender = self.client()
        sender.attach("(app:sender)")
        sender.send("message", to="(app:res)", body=b"one ()")
        first = receiver.expect("message")
        self.assertEqual(first.number, 1)
        receiver.close()
        sender.send("message", 9, RELIABLE, to=address, body=b"two ()")
        self.assertNotIn("code", sender.expect("receipt").fields)
        again = self.client(window=16, expiry=60, session=receiver.connected.session, received=0)
        self.assertEqual(again.connected.resumed, 1)
        repeated = again.expect("message")
        self.assertEqual((repeated.number, repeated.body), (1, b"one ()"))
        self.assertEqual(repeated.flags & REDELIVERED, REDELIVERED)
        self.assertEqual((again.expect("message").number), 2)
        again.send("ack", 2)

    def test_a_foreign_token_opens_a_new_session(self):
        token = self.client(window=16, expiry=60).connected.session
        forged = token[:-4] + ("AAAA" if token[-4:] != "AAAA" else "BBBB")
        connected = self.client(window=16, expiry=60, session=forged).connected
        self.assertEqual(connected.resumed, 0)
        self.assertNotIn(connected.session, (token, forged))

    def test_a_takeover_is_told_to_the_old_connection(self):
        old = self.client(window=16, expiry=60)
        old.attach("(app:take)")
        new = self.client(window=16, expiry=60, session=old.connected.session, received=0)
        self.assertEqual(new.connected.resumed, 1)
        self.assertEqual(old.expect("error").code, "taken-over")
        with self.assertRaises(Closed):
            old.next()

    # --- bad input -------------------------------------------------------------------------------

    def test_bad_frames_close_their_own_connection_only(self):
        bystander = self.client()
        bystander.attach("(app:bystander)")
        head = struct.pack(">BBHIQ", VERBS["ping"], 0, 16, 0, 0)
        cases = {"H below 16": struct.pack(">BBHIQ", 14, 0, 15, 0, 0),
                 "fields beyond H": struct.pack(">BBHIQ", 14, 0, 18, 0, 0) + b"\x01\x00",
                 "unknown verb": struct.pack(">BBHIQ", 200, 0, 16, 0, 0),
                 "known key twice": struct.pack(">BBHIQ", 3, 0, 30, 0, 0) + b"\x08\x00\x04\x00\x00\x00\x01" * 2,
                 "integer of another size": struct.pack(">BBHIQ", 3, 0, 20, 0, 0) + b"\x08\x00\x01\x01",
                 "text with a control character": struct.pack(">BBHIQ", 3, 0, 20, 0, 0) + b"\x03\x00\x01\x07",
                 "a second connect": encode("connect", version=1)}
        for name, octets in cases.items():
            with self.subTest(name):
                client = self.client()
                client.raw(octets + head)
                self.assertEqual(client.expect("error").code, "bad-frame")
                with self.assertRaises(Closed):
                    client.next()
        bystander.send("ping", body=b"still here")
        self.assertEqual(bystander.expect("pong").body, b"still here")

    def test_an_oversized_frame_is_refused_from_its_head(self):
        client = self.client()
        client.raw(struct.pack(">BBHI", VERBS["message"], 0, 16, 500 * 1024 * 1024))
        self.assertEqual(client.expect("error").code, "too-large")
        with self.assertRaises(Closed):
            client.next()

    def test_the_first_frame_must_be_connect(self):
        client = Client(self.daemon.socket, connect=False)
        self.addCleanup(client.close)
        client.send("ping")
        self.assertEqual(client.expect("error").code, "bad-frame")
        client = Client(self.daemon.socket, connect=False)
        self.addCleanup(client.close)
        client.send("connect", version=0)
        self.assertEqual(client.expect("error").code, "bad-version")

    def test_a_connection_without_connect_ends_after_five_seconds(self):
        client = Client(self.daemon.socket, connect=False)
        self.addCleanup(client.close)
        started = time.monotonic()
        self.assertEqual(client.expect("error", 15).code, "bad-frame")
        self.assertGreater(time.monotonic() - started, 4)

    def test_any_cut_of_the_stream_reads_the_same(self):
        client = self.client()
        for octet in encode("ping", body=b"slow") + encode("ping", body=b"ly"):
            client.raw(bytes([octet]))
        self.assertEqual(client.expect("pong").body, b"slow")
        self.assertEqual(client.expect("pong").body, b"ly")

    # --- slow readers ------------------------------------------------------------------------------

    def test_a_slow_reader_loses_the_oldest_and_is_told(self):
        receiver, sender = self.client(), self.client()
        address = receiver.attach("(app:slow)")
        sender.attach("(app:sender)")
        body = b'a ("' + b"x" * 60000 + b'")'
        count = 400  # 24 MB, the queue takes 8
        for number in range(1, count + 1):
            sender.send("message", number, RECEIPT, to=address, body=body)
            sender.expect("receipt")
        got = missed = 0
        while got + missed < count:
            message = receiver.expect("message")
            got += 1
            missed += message.fields.get("missed", 0)
        self.assertGreater(missed, 0)
        self.assertEqual(got + missed, count)

    # --- the daemon's own entity -------------------------------------------------------------------

    def ask(self, client, command, number=1):
        client.send("message", number, RELIABLE, to="(module:mbusd)",
                    body=f'mbusd.{command} ((("ID" "{number}") ("RPC-TYPE" "UNICAST")) ())'.encode())
        frames = [client.next(), client.next()]
        receipt = next(f for f in frames if f.verb == "receipt")
        self.assertNotIn("code", receipt.fields, receipt)
        return next(f for f in frames if f.verb == "message").body.decode()

    def test_the_daemon_answers_requests(self):
        client = self.client()
        client.attach("(app:asker)")
        for number, (command, wanted) in enumerate({"status": '"host-id" "127.0.0.1"', "counters": '"bus-dropped"',
                                                    "interfaces": '"interfaces"', "peers": '"(app:asker id:',
                                                    "config": '"bus.families"', "sessions": '"raw"',
                                                    "rights": '"send-anywhere" 1'}.items(), start=1):
            with self.subTest(command):
                reply = self.ask(client, command, number)
                self.assertIn(f"mbusd.{command}.return", reply)
                self.assertIn(f'("ID" "{number}")', reply)
                self.assertIn('("RPC-STATUS" "OK")', reply)
                self.assertIn(wanted, reply)

    def test_an_unknown_request_is_answered_with_unknown(self):
        client = self.client()
        client.attach("(app:asker2)")
        self.assertIn('("RPC-STATUS" "UNKNOWN")', self.ask(client, "frobnicate"))

    # --- memory ------------------------------------------------------------------------------------

    def test_idle_clients_cost_little_memory(self):
        warm = [self.client() for _ in range(20)]
        for client in warm:
            client.attach("(app:idle)")
        before = self.daemon.rss_kb()
        clients = [self.client() for _ in range(200)]
        for client in clients:
            client.attach("(app:idle)")
        after = self.daemon.rss_kb()
        each = (after - before) / len(clients)
        print(f"\nidle memory: {before} KB before, {each:.1f} KB for each further client")
        # Sanitizers multiply memory; the figure itself stands in docs/performance.md.
        with open(MBUSD, "rb") as binary:
            sanitized = b"__asan_init" in binary.read()
        if not sanitized:
            self.assertLess(each, 8)


def as_nobody(work):
    """The result of `work` in a child process that has become user nobody, in no group but nogroup."""
    nobody = pwd.getpwnam("nobody")
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setgid(nobody.pw_gid)
        os.setuid(nobody.pw_uid)
        try:
            result = work()
        except BaseException as fault:  # told to the parent, whose assertion then shows it
            result = repr(fault)
        os.write(writing, json.dumps(result).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        result = json.load(pipe)
    os.waitpid(child, 0)
    return result


class Life(unittest.TestCase):
    """Start, stop, reload: each test has a daemon of its own."""

    def setUp(self):
        folder = scratch()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def daemon(self, toml=""):
        daemon = Daemon(MBUSD, self.folder, toml)
        self.addCleanup(daemon.__exit__)
        return daemon

    def test_the_id_of_the_daemon_outlives_it(self):
        state = os.path.join(self.folder, "state")
        ids = set()
        for _ in range(2):
            daemon = self.daemon(f'[state]\ndirectory = "{state}"\n').start()
            ids.add(daemon.client().connected.broker)
            self.assertEqual(daemon.stop(), 0)
        self.assertEqual(len(ids), 1)
        self.assertEqual(os.stat(os.path.join(state, "broker-id")).st_mode & 0o777, 0o600)

    def test_sigterm_says_goodbye_and_leaves_with_zero(self):
        daemon = self.daemon().start()
        client = daemon.client(window=8, expiry=60)
        client.attach("(app:a)")
        started = time.monotonic()
        self.assertEqual(daemon.stop(), 0)
        self.assertLess(time.monotonic() - started, 5)
        self.assertEqual(client.expect("error").code, "shutting-down")
        with self.assertRaises(Closed):
            client.next()
        self.assertFalse(os.path.exists(daemon.socket))

    def test_a_stopped_client_does_not_hold_up_the_end(self):
        daemon = self.daemon().start()
        client, sender = daemon.client(), daemon.client()
        address = client.attach("(app:deaf)")
        sender.attach("(app:s)")
        for number in range(1, 100):
            sender.send("message", number, RECEIPT, to=address, body=b'a ("' + b"x" * 60000 + b'")')
            sender.expect("receipt")
        started = time.monotonic()
        self.assertEqual(daemon.stop(), 0)
        self.assertLess(time.monotonic() - started, 5)

    def test_after_kill_minus_nine_the_socket_is_usable_again(self):
        daemon = self.daemon().start()
        daemon.stop(signal.SIGKILL)
        self.assertTrue(os.path.exists(daemon.socket))
        daemon.start()
        daemon.client().attach("(app:a)")

    def test_two_daemons_do_not_share_a_socket(self):
        first = self.daemon().start()
        second = subprocess.run(first.command(), capture_output=True, text=True, timeout=20)
        self.assertEqual(second.returncode, 1)
        self.assertIn("another mbusd answers on this socket", second.stderr)
        self.assertEqual(len(second.stderr.strip().splitlines()), 1, second.stderr)
        first.client().attach("(app:a)")

    def test_a_file_in_the_way_is_not_removed(self):
        daemon = self.daemon()
        with open(daemon.socket, "w") as file:
            file.write("precious")
        done = subprocess.run(daemon.command(), capture_output=True, text=True, timeout=20)
        self.assertEqual(done.returncode, 1)
        self.assertIn("a file that is no socket is in the way", done.stderr)
        with open(daemon.socket) as file:
            self.assertEqual(file.read(), "precious")

    def test_the_socket_has_the_configured_mode(self):
        daemon = self.daemon('[socket]\nmode = "0600"\n').start()
        self.assertEqual(stat.S_IMODE(os.stat(daemon.socket).st_mode), 0o600)

    def test_sighup_takes_all_or_nothing(self):
        daemon = self.daemon().start()
        daemon.write_config('[log]\nlevel = "debug"\n')
        daemon.process.send_signal(signal.SIGHUP)
        daemon.wait_for_log('log.level: \\"info\\" -> \\"debug\\"')
        daemon.write_config('[log]\nlevel = "info"\n[bus]\ncompat = "legacy"\n')
        daemon.process.send_signal(signal.SIGHUP)
        daemon.wait_for_log("while mbusd runs; undo it, or restart mbusd")
        daemon.write_config('[log]\nlevl = "info"\n')
        daemon.process.send_signal(signal.SIGHUP)
        daemon.wait_for_log("did you mean 'log.level'?")
        self.assertNotIn('\\"debug\\" -> \\"info\\"', daemon.read_log())
        daemon.client().attach("(app:a)")

    def test_limits_are_told_and_charged(self):
        daemon = self.daemon("[limits]\nsessions_per_user = 3\nentities_per_user = 2\n").start()
        clients = [daemon.client() for _ in range(3)]
        refused = Client(daemon.socket, connect=False)
        refused.send("connect", version=1)
        error = refused.expect("error")
        self.assertEqual(error.code, "limit")
        self.assertIn("limits.sessions_per_user", error.text)
        clients[0].attach("(app:a)")
        clients[1].attach("(app:b)")
        clients[2].send("attach", request=1, entity="(app:c)")
        nak = clients[2].expect("nak")
        self.assertEqual(nak.code, "limit")
        clients[0].close()
        clients[2].attach("(app:c)", request=2)

    @unittest.skipUnless(os.geteuid() == 0, "needs root to become another user")
    def test_a_user_without_rights_is_told_what_to_do(self):
        os.chmod(self.folder, 0o755)
        daemon = self.daemon().start()

        def ask():
            client = Client(daemon.socket, connect=False)
            client.send("connect", version=1)
            error = client.expect("error")
            return [error.code, error.text]

        self.assertEqual(as_nobody(ask), ["unauthorized", "refused: user nobody is not in group mbus-users; "
                                          "run: sudo adduser nobody mbus-users, and log in again"])

    @unittest.skipUnless(os.geteuid() == 0, "needs root to become another user")
    def test_rules_limit_what_a_user_attaches_and_sends(self):
        os.chmod(self.folder, 0o755)
        daemon = self.daemon('[[rights]]\nusers = ["nobody"]\nattach = ["(app:web)"]\nsend = ["(app:player)"]\n').start()

        def ask():
            client = Client(daemon.socket)
            client.send("attach", request=1, entity="(app:other)")
            answers = [client.expect("nak").code]
            client.attach("(app:web)", 2)
            client.send("message", 1, RECEIPT, to="()", body=b"a ()")
            answers.append(client.expect("nak").code)
            client.send("message", 2, RECEIPT, to="(app:player)", body=b"a ()")
            answers.append(client.expect("receipt").matched)
            client.send("attach", request=3, entity="()", mode="monitor")
            answers.append(client.expect("nak").code)
            return answers

        self.assertEqual(as_nobody(ask), ["forbidden", "forbidden", 0, "forbidden"])

    def test_socket_activation(self):
        import socket
        daemon = self.daemon()
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(daemon.socket)
        listener.listen(8)

        def hand_over():
            os.dup2(listener.fileno(), 3)
            os.environ["LISTEN_PID"] = str(os.getpid())

        # LISTEN_PID must be that of the new process, so a shell sets it just before it becomes mbusd.
        daemon.process = subprocess.Popen(["sh", "-c", 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"', "sh", *daemon.command()],
                                          preexec_fn=hand_over, pass_fds=[3], stderr=open(daemon.log, "a"))
        client = daemon.client()
        client.attach("(app:a)")
        self.assertEqual(daemon.stop(), 0)
        self.assertTrue(os.path.exists(daemon.socket), "the file belongs to the service manager")


class CommandLine(unittest.TestCase):
    def setUp(self):
        folder = scratch()
        self.addCleanup(folder.cleanup)
        self.daemon = Daemon(MBUSD, folder.name)

    def run_mbusd(self, *arguments):
        return subprocess.run([MBUSD, *arguments], capture_output=True, text=True, timeout=20)

    def test_check_says_what_is_fine(self):
        done = subprocess.run(self.daemon.command("--check"), capture_output=True, text=True, timeout=20)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn(f"{self.daemon.config}: ok", done.stdout)

    def test_check_says_every_fault_with_its_line(self):
        self.daemon.write_config('[bus]\nfamiles = "ipv4"\n[limits]\nconnections = "many"\n')
        done = subprocess.run(self.daemon.command("--check"), capture_output=True, text=True, timeout=20)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"{self.daemon.config}:2: unknown key 'bus.familes'; did you mean 'bus.families'?", done.stderr)
        self.assertIn(f"{self.daemon.config}:4: limits.connections must be a whole number", done.stderr)

    def test_a_key_file_that_others_may_read_is_refused(self):
        os.chmod(self.daemon.key, 0o644)
        done = subprocess.run(self.daemon.command("--check"), capture_output=True, text=True, timeout=20)
        self.assertEqual(done.returncode, 1)
        self.assertIn(self.daemon.key, done.stderr)

    def test_print_config_names_origins(self):
        self.daemon.write_config("[bus]\ncoalesce = false\n")
        done = subprocess.run(self.daemon.command("--print-config"), capture_output=True, text=True, timeout=20)
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, rf"coalesce = false +# {self.daemon.config}:2")
        self.assertRegex(done.stdout, r'path = ".*" +# --socket')

    def test_usage(self):
        done = self.run_mbusd("--sokcet", "/tmp/x")
        self.assertEqual(done.returncode, 2)
        self.assertIn("did you mean '--socket'?", done.stderr)
        self.assertEqual(self.run_mbusd("--check", "--print-config").returncode, 2)
        self.assertEqual(self.run_mbusd("--scope").returncode, 2)
        self.assertEqual(self.run_mbusd("--help").returncode, 0)
        self.assertRegex(self.run_mbusd("--version").stdout, r"^mbusd [0-9]+\.[0-9]+\.[0-9]+\n$")
        self.assertEqual(self.run_mbusd("--dump-keys", "html").returncode, 2)


if __name__ == "__main__":
    MBUSD = os.path.abspath(sys.argv.pop(1))
    if not private_network():
        print("skipped: needs root for a network namespace of its own")
        sys.exit(77)
    unittest.main(verbosity=1, warnings="ignore")
