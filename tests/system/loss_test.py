#!/usr/bin/env python3
"""Reliable sending over a link that loses datagrams at random (RFC 3259, section 7).

    loss_test.py BIN_DIR [TEST...]

Four transmissions, each answered by an acknowledgement of its own, both lost with the probability p, fail with
(1 - (1-p)^2)^4: 0.13 % at p = 10 %, 6.8 % at p = 30 %."""

import os
import sys
import time
from collections import Counter

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from netlab import PATIENCE, LabTest, main, wait_until  # noqa: E402
from mbws_raw import RELIABLE  # noqa: E402

MESSAGES = 1000
UNDER_WAY = 100   # at once; far below the engine's limit, far above one


class Loss(LabTest):
    def pair(self, **families):
        """Two hosts; at the second one a program that gathers what it is sent."""
        here, there = self.lab.host("here", **families), self.lab.host("there", **families)
        for host in (here, there):
            host.start()
        listener = there.listen("app:receiver", "-F", "%n %A")
        self.assertTrue(here.sees("app:receiver"))
        return here, there, listener

    def burst(self, host, messages=MESSAGES):
        """Sends that many messages, reliably, several at once. The receipt of each, by number."""
        client = host.daemon.client()
        client.attach("(app:sender)")
        receipts, sent = {}, 0
        deadline = time.monotonic() + 3 * PATIENCE
        while len(receipts) < messages:
            while sent < messages and sent - len(receipts) < UNDER_WAY:
                sent += 1
                client.send("message", sent, RELIABLE, to="(app:receiver)", body=f"item ({sent})".encode())
            frame = client.next(max(0.1, deadline - time.monotonic()))
            if frame.verb in ("receipt", "nak"):
                self.assertNotIn(frame.about, receipts, "a message ends once")
                receipts[frame.about] = frame
        self.assertTrue(client.silent())
        client.close()
        return receipts

    def check(self, here_loses, there_loses, succeed_at_least, **families):
        """`..._loses`: percent of the datagrams that come in, and that go out."""
        here, there, listener = self.pair(**families)
        here.lose(*here_loses)
        there.lose(*there_loses)
        begin = time.monotonic()
        receipts = self.burst(here)
        took = time.monotonic() - begin
        here.lose()
        there.lose()
        good = {number for number, frame in receipts.items() if "code" not in frame.fields}
        codes = Counter(frame.fields.get("code", "acknowledged") for frame in receipts.values())
        # Whatever is not acknowledged is reported as such.
        self.assertEqual(set(codes) - {"acknowledged", "not-acknowledged"}, set())
        # What was acknowledged was delivered, and nothing twice. (Something may arrive all whose acknowledgements are lost.)
        self.assertTrue(here.sees("app:receiver"))
        here.run("mbus-send", "-r", "app:receiver", "last", "0")
        self.assertTrue(wait_until(lambda: "last 0" in listener.lines), listener.lines[-3:])
        delivered = Counter(int(line.split()[1]) for line in listener.lines if line.startswith("item "))
        self.assertEqual([number for number, times in delivered.items() if times > 1], [])
        self.assertEqual(good - set(delivered), set())
        counts = here.ask("counters")["bus"]
        tries = Counter(receipts[number].tried for number in good)
        print(f"{dict(codes)}, {len(delivered)} delivered, {counts['retransmissions']} retransmissions, "
              f"tried {dict(sorted(tries.items()))}, {took:.1f} s", file=sys.stderr)
        self.assertGreater(counts["retransmissions"], 0)
        self.assertGreaterEqual(len(good), succeed_at_least)

    def test_ten_percent_each_way_99_percent_succeed(self):
        self.check((10, 0), (10, 0), 990)

    def test_ten_percent_each_way_99_percent_succeed_ipv6(self):
        self.check((0, 10), (0, 10), 990, v4=False)

    def test_thirty_percent_each_way_90_percent_succeed(self):
        self.check((30, 0), (30, 0), 900)

    def test_thirty_percent_in_and_out_of_one_host_90_percent_succeed(self):
        self.check((30, 30), (0, 0), 900, v6=False)

    def test_ten_percent_in_and_out_of_both_hosts(self):
        # 19 % each way, and 1.4 % fail.
        self.check((10, 10), (10, 10), 960)

    def test_all_lost_all_are_reported(self):
        here, there, listener = self.pair()
        there.lose(99, 99)
        receipts = self.burst(here, 200)
        self.assertGreater(Counter(frame.fields.get("code") for frame in receipts.values())["not-acknowledged"], 190)
        self.assertEqual(max(Counter(listener.lines).values(), default=1), 1)


if __name__ == "__main__":
    main(globals())
