#!/usr/bin/env python3
"""The network changes under a running daemon, and daemons die: nobody has to be restarted.

    network_changes_test.py BIN_DIR [TEST...]"""

import os
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from netlab import SLOW, Capture, LabTest, main, wait_until  # noqa: E402

# A peer is given up after five hello intervals of 1.1 s each (RFC 3259, section 8.2).
SILENCE = 5.5


class NetworkChanges(LabTest):
    def talk(self, here, there):
        """A reliable message each way; entities that are attached anew find each other."""
        for one, other in ((here, there), (there, here)):
            name = f"app:at-{other.name} try:{time.monotonic_ns()}"
            listener = other.listen(name, "-n", "1", "-F", "%n")
            self.assertTrue(one.sees(name), f"{one.name} does not see {name}")
            one.run("mbus-send", "-r", *name.split(), "demo.text")
            self.assertEqual((listener.end(), listener.lines), (0, ["demo.text"]))

    def interface(self, host, name="eth0"):
        return next((one for one in host.ask("interfaces")["interfaces"] if one["name"] == name), None)

    def test_a_daemon_started_without_any_network_picks_it_up(self):
        # given loopback down and no card
        a, b = self.lab.host("a", plugged=False), self.lab.host("b")
        a.start()
        pid = a.daemon.process.pid
        b.start()
        # then local programs talk
        listener = a.listen("app:local", "-n", "1")
        a.run("mbus-send", "-r", "app:local", "demo.text")
        self.assertEqual(listener.end(), 0)
        self.assertEqual(a.ask("status")["scope"], "LINKLOCAL")
        # when a card comes, hosts talk
        a.ip("link set lo up")
        self.lab.plug(a, "eth0")
        a.ip("address add 10.9.0.1/24 brd + dev eth0")
        a.ip("link set eth0 up")
        self.talk(a, b)
        self.assertEqual(a.daemon.process.pid, pid)
        self.assertIsNone(a.daemon.process.poll())

    def test_an_interface_goes_down_and_comes_up(self):
        a, b = self.lab.host("a"), self.lab.host("b")
        for host in (a, b):
            host.start()
        self.talk(a, b)
        a.ip("link set eth0 down")
        self.assertTrue(wait_until(lambda: self.interface(a) is None))
        a.ip("link set eth0 up")
        # IPv6 addresses are gone and made anew; IPv4 ones stay.
        a.settle()
        self.talk(a, b)

    def test_a_cable_is_pulled_and_put_in(self):
        # given a bridge port that goes down: the host's own interface only loses its carrier
        a, b = self.lab.host("a"), self.lab.host("b")
        for host in (a, b):
            host.start()
        there = b.listen("app:there")
        self.assertTrue(a.sees("app:there"))
        self.lab.bridge.command("ip link set a-eth0 down")
        a.run("mbus-send", "-r", "app:there", "demo.text", code=4)
        self.assertTrue(a.misses("app:there"))
        self.lab.bridge.command("ip link set a-eth0 up")
        self.assertTrue(a.sees("app:there"))
        self.talk(a, b)
        there.stop()

    def test_an_address_changes(self):
        a, b = self.lab.host("a", v6=False), self.lab.host("b", v6=False)
        for host in (a, b):
            host.start()
        self.talk(a, b)
        host_id = a.ask("status")["host-id"]
        wire = Capture(b.net)
        self.addCleanup(wire.close)
        a.ip("address flush dev eth0")
        a.ip("address add 10.9.0.99/24 brd + dev eth0")
        self.talk(a, b)
        wire.datagrams()
        self.talk(a, b)
        sources = {one["src"] for one in wire.datagrams()}
        self.assertEqual(sources, {"10.9.0.99", b.v4})
        # The identity of entities does not change with addresses.
        self.assertEqual(a.ask("status")["host-id"], host_id)

    def test_a_new_card_is_used_beside_the_first(self):
        a, b = self.lab.host("a"), self.lab.host("b")
        for host in (a, b):
            host.start()
        self.talk(a, b)
        # when both get a second card on the same bridge
        for host in (a, b):
            self.lab.plug(host, "eth1")
            host.ip(f"address add 10.10.0.{host.number}/24 brd + dev eth1")
            host.ip("link set eth1 up")
        for host in (a, b):
            self.assertTrue(wait_until(lambda: (self.interface(host, "eth1") or {}).get("ipv4")))
        # then nothing comes twice, although every datagram travels twice
        listener = b.listen("app:once", "-F", "%A")
        self.assertTrue(a.sees("app:once"))
        for number in range(5):
            a.run("mbus-send", "()", "app:once", "demo.text", str(number))
        a.run("mbus-send", "-r", "app:once", "demo.last", "5")
        self.assertTrue(wait_until(lambda: "5" in listener.lines))
        self.assertEqual(listener.lines, ["0", "1", "2", "3", "4", "5"])
        # and when the first cards go, the second ones do
        for host in (a, b):
            host.ip("link del eth0")
        self.talk(a, b)

    def test_a_killed_daemon_is_missed_and_rejoins(self):
        a, b = self.lab.host("a"), self.lab.host("b")
        for host in (a, b):
            host.start()
        listener = b.listen("app:phoenix", "-F", "%n")
        self.assertTrue(a.sees("app:phoenix"))
        # when it dies without a word
        begin = time.monotonic()
        b.kill()
        self.assertEqual(a.run("mbus", "match", "-q", "app:phoenix").returncode, 0)
        self.assertTrue(a.misses("app:phoenix"))
        gone_after = time.monotonic() - begin
        # then it is missed by its silence (the last hello was up to 1.1 s before)
        self.assertGreater(gone_after, SILENCE - 1.5)
        self.assertLess(gone_after, SILENCE * 2 * SLOW + 5)
        # and back, with its program, as soon as it runs again
        b.restart()
        self.assertTrue(a.sees("app:phoenix"))
        a.run("mbus-send", "-r", "app:phoenix", "demo.text")
        self.assertTrue(wait_until(lambda: listener.lines == ["demo.text"]), listener.lines)
        self.talk(a, b)

    def test_a_daemon_restarted_at_once_after_a_kill_is_understood(self):
        # The others still hold its sequence numbers; new ones from 0 must not pass for copies.
        a, b = self.lab.host("a"), self.lab.host("b")
        for host in (a, b):
            host.start()
        for _ in range(2):
            self.talk(a, b)
            b.kill()
            b.restart()
        self.talk(a, b)

    def test_a_daemon_that_ends_in_order_is_missed_at_once(self):
        a, b = self.lab.host("a"), self.lab.host("b")
        for host in (a, b):
            host.start()
        watcher = a.daemon.client()
        self.addCleanup(watcher.close)
        b.listen("app:polite")
        self.assertTrue(a.sees("app:polite"))
        watcher.send("watch", request=3, to="(app:polite)")
        self.assertEqual(watcher.expect("entity", 20).state, "present")
        begin = time.monotonic()
        self.assertEqual(b.daemon.stop(signal.SIGTERM), 0)
        frame = watcher.next(20)
        while frame.verb != "entity":
            frame = watcher.next(20)
        self.assertEqual(frame.state, "left")  # bye (RFC 3259, section 9.2), not silence
        self.assertLess(time.monotonic() - begin, SILENCE * SLOW)


if __name__ == "__main__":
    main(globals())
