#!/usr/bin/env python3
"""What is changed, cut, repeated or sealed with another key has no effect but a counter.

    wire_robustness_test.py BIN_DIR [TEST...]"""

import base64
import hmac
import os
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from netlab import GROUP_V4, KEY, OTHER_KEY, PORT, SLOW, Capture, LabTest, key_file, main, wait_until  # noqa: E402

MODERN_KEY = base64.b64encode(bytes(range(32))).decode()
# Normal on every bus, and rising by itself: a friend that is held up repeats what is reliable.
HARMLESS = {"own-echo", "not-for-us", "foreign-ack", "duplicate", "late-after-bye"}


def seal(message, key=KEY):
    octets = message.encode()
    return base64.b64encode(hmac.new(base64.b64decode(key), octets, "sha1").digest()[:12]) + b"\r\n" + octets


class WireRobustness(LabTest):
    def setUp(self):
        super().setUp()
        self.victim, self.friend, self.stranger = (self.lab.host(name, v6=False) for name in ("victim", "friend", "stranger"))
        self.wire = Capture(self.friend.net)
        self.addCleanup(self.wire.close)
        self.socket = self.stranger.net.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(self.socket.close)
        with self.stranger.net.entered():
            self.socket.bind((self.stranger.v4, 0))
            self.socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(self.stranger.v4))

    def begin(self, key=None):
        """Both daemons, a listener at the victim, and the datagram with which the friend spoke to it."""
        for host in (self.victim, self.friend):
            host.start(key=key)
        self.listener = self.victim.listen("app:victim", "-F", "%n %A")
        self.assertTrue(self.friend.sees("app:victim"))
        self.wire.datagrams()
        self.friend.run("mbus-send", "app:victim", "true.text", '"genuine"')
        self.assertTrue(wait_until(lambda: self.listener.lines))
        # Beside it only hellos and byes were sent, which are shorter.
        return max(self.sent_by_friend(), key=len)

    def sent_by_friend(self, containing=b""):
        return [one["payload"] for one in self.wire.datagrams() if one["src"] == self.friend.v4 and containing in one["payload"]]

    def inject(self, datagrams):
        """Sends them to the victim, in turns to the group and to its own endpoint."""
        endpoint = (self.victim.v4, self.victim.ask("status")["endpoint-port-ipv4"])
        for number, one in enumerate(datagrams):
            self.socket.sendto(one, endpoint if number % 2 else (GROUP_V4, PORT))
            if number % 20 == 19:
                time.sleep(0.005)  # no more than a socket buffer holds

    def bad(self, reasons):
        """Drops by these reasons; by all but the harmless ones without any."""
        return sum(count for reason, count in self.victim.dropped().items() if reason in reasons or not (reasons or reason in HARMLESS))

    def check_only_counted(self, datagrams, reasons=frozenset()):
        heard = len(self.listener.lines)
        before, total = self.victim.dropped(), self.bad(reasons)
        self.inject(datagrams)
        self.assertTrue(wait_until(lambda: self.bad(reasons) - total >= len(datagrams)),
                        f"{self.bad(reasons) - total} of {len(datagrams)} counted")
        after = self.victim.dropped()
        if "duplicate" not in reasons:
            self.assertEqual(self.bad(reasons) - total, len(datagrams))
        risen = {reason for reason in after if after[reason] != before[reason]}
        if reasons:
            self.assertEqual(risen - reasons - HARMLESS, set())
        self.assertEqual(len(self.listener.lines), heard, "nothing was delivered")
        hosts = {one["entity"]["id"].split("@")[1] for one in self.victim.peers()}
        self.assertEqual(hosts - {self.friend.v4}, set(), "nobody came")
        # and what is genuine still arrives
        self.friend.run("mbus-send", "-r", "app:victim", "still.there", str(heard))
        self.assertTrue(wait_until(lambda: self.listener.lines[heard:] == [f"still.there {heard}"]), self.listener.lines)

    def test_every_single_bit_matters(self):
        genuine = self.begin()
        flipped = []
        for bit in range(len(genuine) * 8):
            octets = bytearray(genuine)
            octets[bit // 8] ^= 1 << (bit % 8)
            flipped.append(bytes(octets))
        self.check_only_counted(flipped, {"bad-mac", "bad-mac-line"})

    def test_every_truncation_is_noticed(self):
        genuine = self.begin()
        self.check_only_counted([genuine[:size] for size in range(len(genuine))] + [genuine + b"\r\n", genuine + b"\0"],
                                {"too-short", "bad-mac-line", "bad-mac"})

    def test_what_is_repeated_is_a_copy(self):
        plain = self.begin()
        self.friend.run("mbus-send", "-r", "app:victim", "true.reliable", "1")
        self.assertTrue(wait_until(lambda: len(self.listener.lines) == 2))
        reliable = self.sent_by_friend(b"true.reliable")
        self.check_only_counted([plain] * 20 + reliable[:1] * 20, {"duplicate"})

    def test_a_hello_repeated_after_bye_brings_nobody_back(self):
        self.begin()
        guest = self.friend.listen("app:guest")
        self.assertTrue(self.victim.sees("app:guest"))
        hellos = []
        self.assertTrue(wait_until(lambda: hellos.extend(one for one in self.sent_by_friend(b"mbus.hello") if b"app:guest" in one) or hellos))
        guest.process.terminate()
        guest.end()
        self.assertTrue(self.victim.misses("app:guest"))
        self.check_only_counted(hellos[:1] * 10, {"duplicate", "late-after-bye", "replayed"})
        self.assertEqual(self.victim.run("mbus", "match", "-q", "app:guest", code=3).stdout, "")

    def test_another_key_opens_nothing(self):
        self.begin()
        head = "mbus/1.0 {} 1795199903457 U (app:intruder id:1-1@10.9.0.3) {} ()\r\n{}"
        texts = [head.format(number, to, command) for number, (to, command) in enumerate(
            [("()", "mbus.hello()\r\n"), ("()", "mbus.bye()\r\n"), ("(app:victim)", "false.text()\r\n"), ("()", "mbus.quit()\r\n")])]
        self.check_only_counted([seal(one, OTHER_KEY) for one in texts] * 10, {"bad-mac"})

    def test_authentic_nonsense_is_counted_by_its_reason(self):
        self.begin()
        now = int(time.time() * 1000)
        source = "(app:nonsense id:1-1@10.9.0.3)"
        good = f"mbus/1.0 7 {now} U {source} (app:victim) ()\r\n"
        cases = {"not-mbus": "hello world", "bad-version": good.replace("1.0", "2.0") + "a.b()\r\n",
                 "bad-header": f"mbus/1.0 seven {now} U {source} () ()\r\na.b()\r\n", "bad-body": good + "a.b(1\r\n",
                 "source-without-id": good.replace(source, "(app:nonsense)") + "a.b()\r\n"}
        for reason, text in cases.items():
            with self.subTest(reason):
                self.check_only_counted([seal(text)] * 4, {reason})

    def test_the_modern_profile_is_not_softer(self):
        key = key_file(f"HMAC-SHA256-128,{MODERN_KEY}", cipher=f"XCHACHA20-POLY1305,{MODERN_KEY}")
        genuine = self.begin(key)
        octets = [bytearray(genuine) for _ in range(len(genuine))]
        for at, one in enumerate(octets):
            one[at] ^= 1 << (at % 8)
        self.check_only_counted([bytes(one) for one in octets] + [genuine[:size] for size in range(0, len(genuine), 3)])
        self.check_only_counted([genuine] * 10, {"replayed"})

    def test_a_flood_of_bad_macs_does_not_stop_the_daemon(self):
        self.begin()
        over = threading.Event()
        datagram = seal("mbus/1.0 1 1 U (app:flood id:1-1@10.9.0.3) () ()\r\n" + "a.b()\r\n" * 30, OTHER_KEY)
        sent = [0]

        def flood():
            while not over.is_set():
                for _ in range(100):
                    self.socket.sendto(datagram, (GROUP_V4, PORT))
                sent[0] += 100
        flooding = threading.Thread(target=flood)
        before = self.victim.dropped()["bad-mac"]
        flooding.start()
        try:
            client = self.victim.daemon.client()
            slowest = 0
            until = time.monotonic() + 3
            while time.monotonic() < until:
                begin = time.monotonic()
                client.send("ping", body=b"there?")
                client.expect("pong")
                slowest = max(slowest, time.monotonic() - begin)
                time.sleep(0.01)
            client.close()
            self.victim.run("mbus-send", "-r", "app:victim", "local.text", "1")
        finally:
            over.set()
            flooding.join()
        self.assertLess(slowest, 1.0 * SLOW)
        self.assertTrue(wait_until(lambda: self.victim.dropped()["bad-mac"] > before))
        counts = self.victim.ask("counters")
        print(f"{sent[0]} sent, {counts['bus-dropped']['bad-mac'] - before} refused, {counts['sockets']['kernel-drops']} dropped by the kernel, "
              f"slowest answer {slowest * 1000:.0f} ms", file=sys.stderr)
        # Nothing is dropped silently: what was not refused is in the kernel's count.
        self.assertTrue(self.friend.sees("app:victim"))
        self.friend.run("mbus-send", "-r", "app:victim", "after.flood", "2")
        self.assertTrue(wait_until(lambda: self.listener.lines[1:] == ["local.text 1", "after.flood 2"]), self.listener.lines)


if __name__ == "__main__":
    main(globals())
