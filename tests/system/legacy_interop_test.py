#!/usr/bin/env python3
"""compat = "legacy": mbus-send and mbus-listen with peers that behave as UCL's library, libgmbus and Java MBus do, and the
datagrams that were recorded of the real ones, sent to a running daemon.

    legacy_interop_test.py BIN_DIR [TEST...]"""

import base64
import json
import os
import re
import socket
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "interop")]
from legacy_peer import JavaMbus, Libgmbus, Ucl, elements  # noqa: E402
from netlab import LabTest, key_file, main, wait_until  # noqa: E402

SHORT_KEY = b"123156189112"        # 12 octets, as RFC 3259's own example has them
FULL_KEY = b"1231561891121234"     # what HMAC-MD5 takes by the rules
LEGACY = '[bus]\ncompat = "legacy"\n'
RECORDINGS = os.path.join(HERE, "..", "vectors", "mbus")


def config(key, scope, group):
    return key_file(f"HMAC-MD5-96,{base64.b64encode(key).decode()}", scope, more=f"ADDRESS={group}\nPORT=47000\n")


class LegacyTest(LabTest):
    def host_local(self, group):
        """One host with loopback alone, and the route to the group that the peers need."""
        host = self.lab.host("one", plugged=False)
        host.ip("link set lo up")
        host.ip("route add 224.0.0.0/4 dev lo src 127.0.0.1")
        return host

    def link_local(self):
        hosts = [self.lab.host("here"), self.lab.host("there")]
        for host in hosts:
            host.ip("route add 224.0.0.0/4 dev eth0")
        return hosts

    def peers(self, host, key, group, scope, kinds=(Ucl, Libgmbus, JavaMbus)):
        interface = "127.0.0.1" if scope == "HOSTLOCAL" else host.v4
        made = []
        for number, kind in enumerate(kinds, start=101):
            made.append(kind(f"(app:{kind.__name__.lower()} media:audio id:{number}-0@{interface})", key, group, interface, host.net, scope))
            made[-1].start()
            self.addCleanup(made[-1].stop)
        return made


class Legacy(LegacyTest):
    def hear(self, peer, name, what=None):
        """What the peer received as the command `name`."""
        wait_until(lambda: any(one.command == name for one in list(peer.received)))
        return [one for one in list(peer.received) if one.command == name]

    def reliably(self, peer, to, name, arguments):
        # libgmbus waits 300 ms, once; we acknowledge after 70. Where a whole machine stands still for so long it may try again.
        results = []
        while len(results) < 4 and "acked" not in results:
            results.append(peer.send_reliably(to, name, arguments))
        self.assertIn("acked", results, f"{peer.address}: {name}")
        return len(results)

    def talk(self, host, peers):
        listener = host.spawn("mbus-listen", "app:new media:text", "-j")
        self.assertTrue(host.sees("app:new"))
        for peer in peers:
            # They know each other by their hellos.
            self.assertTrue(host.sees(f"app:{peer.own['app']}"), peer.own)
            self.assertTrue(wait_until(lambda: peer.sees(app="new")), f"{peer.address} does not see us")
        for peer in peers:
            with self.subTest(peer=peer.own["app"], direction="to the peer"):
                self.to_the_peer(host, peer)
            with self.subTest(peer=peer.own["app"], direction="from the peer"):
                self.from_the_peer(peer, listener)
        with self.subTest("to everyone"):
            host.run("mbus-send", "()", "to.all", "1")
            for peer in peers:
                self.assertEqual(len(self.hear(peer, "to.all")), 1, peer.address)
        for peer in peers:
            self.assertEqual(peer.faults, [])

    def to_the_peer(self, host, peer):
        app = f"app:{peer.own['app']}"
        host.run("mbus-send", app, "plain.text", '"two words"', "7", "-2.5", "(1 (2 3) FOO)", "<AAEC>", "BAR")
        got = self.hear(peer, "plain.text")
        self.assertEqual([one.type for one in got], ["U"])
        self.assertEqual(re.sub(r" (?=\))", "", got[0].arguments), '("two words" 7 -2.5 (1 (2 3) FOO) <AAEC> BAR)')
        host.run("mbus-send", app, "plain.none")
        self.assertEqual(len(self.hear(peer, "plain.none")), 1)
        full = next(f"id:{one['entity']['id']}" for one in host.peers() if one["entity"].get("app") == peer.own["app"])
        for name, to in (("sure.one", [app]), ("sure.two", [app, full])):
            done = host.run("mbus-send", "-r", "-j", *to, name, "1")
            self.assertTrue(json.loads(done.stdout)["ok"])
            got = self.hear(peer, name)
            self.assertEqual({one.type for one in got}, {"R"})
            # Reliable messages go to a full address (RFC 3259, section 7).
            self.assertEqual(elements(got[0].destination), peer.own)
        # 20 in a row: no message is confused with another.
        host.run("mbus-send", "-r", "-n", "20", app, "sure.many")
        self.assertEqual(len({one.seq for one in self.hear(peer, "sure.many")}), 20)

    def from_the_peer(self, peer, listener):
        ours = peer.sees(app="new")[0]
        app = peer.own["app"]
        peer.send("(media:text)", f"{app}.plain", '(1 "a b" FOO )')
        self.reliably(peer, ours, f"{app}.sure", "(2 )")
        self.reliably(peer, "(app:new)", f"{app}.subset", "(3 )")

        def got():
            return [one for one in listener.json() if one["src"].get("app") == app]
        self.assertTrue(wait_until(lambda: len(got()) >= 3), listener.lines)
        byname = {one["cmds"][0]["name"]: one for one in got()}
        self.assertEqual(byname[f"{app}.plain"]["cmds"][0]["args"], [1, "a b", {"sym": "FOO"}])
        self.assertEqual([byname[f"{app}.{name}"]["type"] for name in ("plain", "sure", "subset")], ["U", "R", "R"])
        names = [one["cmds"][0]["name"] for one in got()]
        if peer.resend_at:  # the copies of one message are delivered once
            self.assertEqual(names.count(f"{app}.plain"), 1)

    def check_host_local(self, group):
        host = self.host_local(group)
        host.start(LEGACY, config(SHORT_KEY, "HOSTLOCAL", group))
        self.talk(host, self.peers(host, SHORT_KEY, group, "HOSTLOCAL"))

    def check_link_local(self, group):
        here, there = self.link_local()
        here.start(LEGACY, config(SHORT_KEY, "LINKLOCAL", group))
        self.talk(here, self.peers(there, SHORT_KEY, group, "LINKLOCAL"))

    def test_all_three_on_one_host(self):
        self.check_host_local("239.255.255.247")

    def test_all_three_on_one_host_and_their_own_group(self):
        self.check_host_local("224.255.222.239")

    def test_all_three_over_a_link(self):
        self.check_link_local("239.255.255.247")

    def test_all_three_over_a_link_and_their_own_group(self):
        self.check_link_local("224.255.222.239")

    def test_who_says_bye_is_gone_at_once_who_does_not_after_a_while(self):
        host = self.host_local("239.255.255.247")
        host.start(LEGACY, config(SHORT_KEY, "HOSTLOCAL", "239.255.255.247"))
        peers = self.peers(host, SHORT_KEY, "239.255.255.247", "HOSTLOCAL")
        watcher = host.daemon.client()
        self.addCleanup(watcher.close)
        for peer in peers:
            self.assertTrue(host.sees(f"app:{peer.own['app']}"))
        watcher.send("watch", request=1, to="(media:audio)")
        states = {}

        def gone(state):
            return {name for name, last in states.items() if last == state}
        for peer in peers:
            peer.stop()
        deadline = time.monotonic() + 40
        while len(gone("left") | gone("lost")) < 3:
            frame = watcher.next(deadline - time.monotonic())
            if frame.verb == "entity":
                states[elements(frame.entity)["app"]] = frame.state
        self.assertEqual((gone("left"), gone("lost")), ({"ucl", "javambus"}, {"libgmbus"}))

    def test_a_large_message_is_refused_with_the_limit_of_the_dialect(self):
        host = self.host_local("239.255.255.247")
        host.start(LEGACY, config(SHORT_KEY, "HOSTLOCAL", "239.255.255.247"))
        peers = self.peers(host, SHORT_KEY, "239.255.255.247", "HOSTLOCAL")
        self.assertTrue(host.sees("app:ucl"))
        done = host.run("mbus-send", "app:ucl", "big.text", '"' + "x" * 1500 + '"', code=7)
        self.assertIn("the limit is", done.stderr)
        host.run("mbus-send", "app:ucl", "big.text", '"' + "x" * 1200 + '"')
        self.assertEqual(len(self.hear(peers[0], "big.text")), 1)

    def test_the_default_mode_understands_libgmbus_and_ucl(self):
        group = "239.255.255.247"
        host = self.host_local(group)
        host.start("", config(FULL_KEY, "HOSTLOCAL", group))
        listener = host.listen("app:strict", "-j")
        full = next(one for one in host.run("mbus", "match", "app:strict").stdout.splitlines() if one)
        for peer in self.peers(host, FULL_KEY, group, "HOSTLOCAL", (Ucl, Libgmbus)):
            app = peer.own["app"]
            self.assertTrue(host.sees(f"app:{app}"))
            peer.send("(app:strict)", f"{app}.plain", '(1 "a b" FOO )')
            peer.send(full, f"{app}.sure", "(2 )", kind="R")
            self.assertTrue(wait_until(lambda: sum(one["src"].get("app") == app for one in listener.json()) >= 2), listener.lines)
            got = {one["cmds"][0]["name"]: one for one in listener.json()}
            self.assertEqual(got[f"{app}.plain"]["cmds"][0]["args"], [1, "a b", {"sym": "FOO"}])
            self.assertEqual((got[f"{app}.sure"]["type"], got[f"{app}.sure"]["cmds"][0]["args"]), ("R", [2]))
            # They do not understand us there: UCL nothing at all, libgmbus no acknowledgement without a blank. That is what "legacy" is for.
            self.assertEqual(bool(peer.sees(app="strict")), app == "libgmbus")
            self.assertEqual(peer.send_reliably(full, f"{app}.lost", "()"), "lost")

    def test_a_short_key_is_refused_in_the_default_mode(self):
        host = self.host_local("239.255.255.247")
        with self.assertRaises(AssertionError) as refused:
            host.start("", config(SHORT_KEY, "HOSTLOCAL", "239.255.255.247"))
        self.assertIn("at least 16 octets", str(refused.exception))
        host.start("[bus]\nallow_short_keys = true\n", config(SHORT_KEY, "HOSTLOCAL", "239.255.255.247"))


class Recordings(LegacyTest):
    """Recorded datagrams through a real socket into a running daemon; a monitor prints what it read."""

    # Damaged by the sender itself (tests/interop/recorded_datagrams_test.cpp).
    damaged = {("libgmbus-args.json", 18), ("libgmbus-args.json", 32)}

    def replay(self, name, toml):
        with open(os.path.join(RECORDINGS, name)) as file:
            recording = json.load(file)
        host = self.host_local("239.255.255.247")
        host.start(toml + 'scope = "HOSTLOCAL"\nallow_short_keys = true\n', recording["config"]["text"])
        monitor = host.spawn("mbus-listen", "-a", "-j")
        sender = host.net.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(sender.close)
        with host.net.entered():
            sender.bind(("127.0.0.1", 0))
            sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
        while not monitor.lines:  # until it listens
            host.run("mbus-send", "()", "probe.text", code=None)
        expected, before = [], set()
        for one in recording["datagrams"]:
            time.sleep(0.002)  # no more than a socket buffer holds
            sender.sendto(bytes.fromhex(one["hex"]), ("239.255.255.247", 47000))
            head, names = one["header"], [command for command in one["commands"] if command not in ("mbus.hello", "mbus.bye", "mbus.ping")]
            source = elements(head["src"])["id"]
            copy = (source, head["seq"]) in before
            before.add((source, head["seq"]))
            if names and not copy and (name, one["n"]) not in self.damaged:
                expected.append((source, head["type"], names))
        return host, monitor, expected

    def check(self, name, toml=LEGACY):
        host, monitor, expected = self.replay(name, toml)
        self.assertTrue(expected)

        def printed():
            return [one for one in monitor.json() if one["src"].get("module") != "mbus-send" and not one["cmds"][0]["name"].startswith("mbusd.")]
        self.assertTrue(wait_until(lambda: len(printed()) >= len(expected)), f"{len(printed())} of {len(expected)}: {host.dropped()}")
        self.assertEqual([(one["src"]["id"], one["type"], [command["name"] for command in one["cmds"]]) for one in printed()], expected)
        return {command["name"]: command["args"] for one in printed() for command in one["cmds"]}

    def test_libgmbus(self):
        arguments = self.check("libgmbus-args.json")
        self.assertEqual(arguments["arg.int"], [42, 0, -7])
        self.assertEqual(arguments["arg.float"], [1.5, -0.25, 100.0])
        self.assertEqual(arguments["arg.string"], ["plain"])

    def test_ucl(self):
        arguments = self.check("ucl-args.json")
        self.assertEqual(arguments["arg.int"], [42, 0, -7])
        self.assertEqual(arguments["arg.string"], ["plain"])

    def test_java(self):
        arguments = self.check("bonephone-args.json")
        self.assertEqual(arguments["arg.int"], [42, 0, -7])
        self.assertEqual(arguments["arg.string"], ["plain"])

    def test_ucl_with_des(self):
        try:
            self.replay("ucl-des-hello-bye.json", LEGACY)
        except AssertionError as refused:
            if "libgcrypt" in str(refused):
                self.skipTest("built without libgcrypt: no DES")
            raise
        self.new_lab()
        arguments = self.check("ucl-des-args.json")
        self.assertEqual(arguments["arg.int"], [42, 0, -7])

    def test_several_commands_in_one_message(self):
        self.check("ucl-multi-command.json")

    def test_several_commands_in_one_message_java(self):
        self.check("bonephone-multi-command.json")

    def test_the_default_mode_reads_libgmbus_and_ucl(self):
        self.check("pair-libgmbus-to-ucl.json", "[bus]\n")

    def test_java_in_the_default_mode_is_a_bad_mac(self):
        host, _, _ = self.replay("bonephone-hello-bye.json", "[bus]\n")
        self.assertTrue(wait_until(lambda: host.dropped()["bad-mac"] == 8), host.dropped())
        self.assertEqual(host.peers(), [])


if __name__ == "__main__":
    main(globals())
