#!/usr/bin/env python3
"""Buses on different links become one over MBWS links between daemons (docs/links.md): reliable and
unreliable messages, three daemons in a ring, two ways to one bus, a link that is cut.

    links_test.py BIN_DIR [TEST...]"""

import json
import os
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from netlab import PATIENCE, SLOW, Lab, LabTest, main, wait_until  # noqa: E402

PORT = 8443


class Links(LabTest):
    def setUp(self):
        super().setUp()
        self.labs = [self.lab]
        self.cables = 0
        self.hosts_made = 0

    def bus(self):
        """A bus of its own: a bridge that nothing joins to the others."""
        if self.labs[-1].hosts:
            self.labs.append(Lab())
            self.addCleanup(self.labs[-1].close)
            self.addCleanup(self.show_other, self.labs[-1])
        return self.labs[-1]

    def show_other(self, lab):
        mine, self.lab = self.lab, lab
        self.show_logs()
        self.lab = mine

    def host(self, lab, name):
        """Addresses differ on all buses, as ids of entities do then."""
        while len(lab.hosts) < self.hosts_made:
            lab.host(f"no{len(lab.hosts)}", plugged=False)
        made = lab.host(name)
        self.hosts_made = len(lab.hosts)
        return made

    def cable(self, one, other):
        """A wire for TCP alone; returns the address of `one`."""
        self.cables += 1
        wire, n = f"wan{self.cables}", self.cables
        one.ip(f"link add {wire} type veth peer name {wire} netns {other.net.path}")
        for host, last in ((one, 1), (other, 2)):
            host.ip(f"address add 10.77.{n}.{last}/24 dev {wire}")
            host.ip(f"link set {wire} up")
        return f"10.77.{n}.1"

    def certificate(self, host, addresses):
        pem, key = os.path.join(host.folder, "cert.pem"), os.path.join(host.folder, "key.pem")
        names = ",".join(f"IP:{one}" for one in addresses)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                        f"/CN={host.name}", "-addext", f"subjectAltName={names}", "-keyout", key, "-out", pem], check=True, capture_output=True)
        return pem, key

    def called(self, host, addresses, more=""):
        """The daemon that takes links, over TLS."""
        self.pem, key = self.certificate(host, addresses)
        listen = ", ".join(f'"{one}:{PORT}"' for one in addresses)
        return (f'[bus]\ndeny_interfaces = ["wan*"]\n[gateway]\nenabled = true\nlisten = []\ntls_listen = [{listen}]\n'
                f'tls_certificate = "{self.pem}"\ntls_key = "{key}"\n' + more)

    def link(self, callee, caller, address, pem, more=""):
        """A [[link]] entry, with a token that the called daemon made."""
        file = os.path.join(caller.folder, f"to-{callee.name}.token")
        token = callee.run("mbus", "client", "add", "-q", f"from-{caller.name}", "--link").stdout
        with open(os.open(file, os.O_CREAT | os.O_WRONLY, 0o600), "w") as out:
            out.write(token)
        return (f'\n[[link]]\nname = "to-{callee.name}"\nurl = "wss://{address}:{PORT}"\ntoken_file = "{file}"\nca_file = "{pem}"\n{more}')

    def links(self, host):
        return [json.loads(line) for line in host.run("mbus", "link", "ls", "-j").stdout.splitlines()]

    def joined(self, state=False):
        """a1 and a2 on one bus, b1 and b2 on another; b1 calls a1. With `state` both know their ids and tokens after a restart."""
        left, right = self.bus(), None
        a1, a2 = self.host(left, "a1"), self.host(left, "a2")
        right = self.bus()
        b1, b2 = self.host(right, "b1"), self.host(right, "b2")
        address = self.cable(a1, b1)
        kept = {host: f'[state]\ndirectory = "{host.folder}/state"\n' if state else "" for host in (a1, b1)}
        a1.start(self.called(a1, [address]) + kept[a1])
        a2.start()
        b1.start('[bus]\ndeny_interfaces = ["wan*"]\n' + kept[b1] + self.link(a1, b1, address, self.pem))
        b2.start()
        self.assertTrue(wait_until(lambda: [one["state"] for one in self.links(b1)] == ["active"]), self.links(b1))
        return a1, a2, b1, b2

    def test_reliable_messages_are_acknowledged_from_one_bus_to_the_other(self):
        a1, a2, b1, b2 = self.joined()
        ears = {host.name: host.listen(f"app:{host.name}", "-j") for host in (a1, a2, b1, b2)}
        for here, there in ((a1, b1), (a1, b2), (a2, b1), (a2, b2), (b1, a1), (b2, a2)):
            self.assertTrue(here.sees(f"app:{there.name}"), (here.name, there.name))
            done = here.run("mbus-send", "-j", "-r", f"app:{there.name}", "demo.text", f'"from {here.name}"')
            self.assertIn('"ok":true', done.stdout)
        for name, senders in (("b1", ["a1", "a2"]), ("b2", ["a1", "a2"]), ("a1", ["b1"]), ("a2", ["b2"])):
            ears[name].wait_for(len(senders))
            self.assertEqual([one["cmds"][0]["args"][0] for one in ears[name].json()], [f"from {one}" for one in senders])
        # An entity that goes is gone on the other bus, too.
        ears["b2"].stop()
        self.assertTrue(a2.misses("app:b2"))
        refused = a2.run("mbus-send", "-r", "app:b2", "demo.text", code=None)
        self.assertNotEqual(refused.returncode, 0)

    def test_a_message_to_all_reaches_every_entity_of_both_buses_once(self):
        a1, a2, b1, b2 = self.joined()
        ears = [host.listen(f"app:{host.name}", "-j") for host in (a1, a2, b1, b2)]
        for host in (a1, a2, b1, b2):
            self.assertTrue(host.sees("app:a2") and host.sees("app:b2"))
        a2.run("mbus-send", "()", "demo.text", '"all"')
        for ear in ears:
            ear.wait_for(1)
        time.sleep(0.5)
        self.assertEqual([len(ear.json()) for ear in ears], [1, 1, 1, 1])

    def test_a_link_that_is_cut_and_resumed_loses_nothing(self):
        a1, a2, b1, b2 = self.joined()
        count = 400
        ear = a2.listen("app:ear", "-j", "-n", str(count))
        self.assertTrue(b1.sees("app:ear"))
        sender = b1.daemon.client()
        own = sender.attach("(app:mouth)")
        self.assertTrue(a2.sees("app:mouth"))
        for n in range(count):
            sender.send("message", 0, to="(app:ear)", body=f"demo.number({n})".encode())
            if n % 100 == 50:
                a1.net.command("nft -f -", stdin="table inet cut {\nchain in {\ntype filter hook input priority 0;\n"
                               f"tcp dport {PORT} reject with tcp reset\n}}\n}}\n")
                time.sleep(0.3)
                a1.net.command("nft delete table inet cut")
            time.sleep(0.002)
        self.assertEqual(ear.end(), 0)
        # The bus packs several into one datagram.
        self.assertEqual([each["args"][0] for one in ear.json() for each in one["cmds"]], list(range(count)), own)
        self.assertGreater(self.links(b1)[0]["resumes"], 0)
        sender.close()

    def ring(self, more=""):
        hosts = []
        for name in ("a", "b", "c"):
            hosts.append(self.host(self.bus(), name))
        a, b, c = hosts
        to = {}
        for caller, callee in ((a, b), (b, c), (c, a)):
            to[callee.name] = (caller, self.cable(callee, caller))
        pems = {}
        configs = {}
        for host in hosts:
            configs[host.name] = self.called(host, [to[host.name][1]])
            pems[host.name] = self.pem
            host.start(configs[host.name])
        for callee in hosts:
            caller, address = to[callee.name]
            configs[caller.name] += self.link(callee, caller, address, pems[callee.name], more)
            configs[callee.name] += f'\n[[link]]\nname = "from-{caller.name}"\n{more}'
        for host in hosts:
            host.daemon.write_config(configs[host.name])
            host.daemon.process.send_signal(1)  # SIGHUP
        return hosts

    def check_ring(self, hosts):
        ears = [host.listen(f"app:{host.name}", "-j") for host in hosts]
        for host in hosts:
            for other in hosts:
                self.assertTrue(host.sees(f"app:{other.name}"), (host.name, other.name, self.links(host)))
        time.sleep(1)
        for host in hosts:
            host.run("mbus-send", "()", "demo.text", f'"from {host.name}"')
        for ear in ears:
            ear.wait_for(3)
        time.sleep(1)
        for ear in ears:
            self.assertEqual(sorted(one["cmds"][0]["args"][0] for one in ear.json()), ["from a", "from b", "from c"])
        done = hosts[0].run("mbus-send", "-j", "-r", "app:c", "demo.text", '"reliable"')
        self.assertIn('"ok":true', done.stdout)

    def test_a_ring_of_three_daemons_delivers_once(self):
        self.check_ring(self.ring())

    def test_a_ring_with_transit_delivers_once(self):
        self.check_ring(self.ring("transit = true\n"))

    def test_a_link_between_two_daemons_of_one_bus_stands_by(self):
        bus = self.bus()
        one, two = self.host(bus, "one"), self.host(bus, "two")
        one.start(self.called(one, [one.v4]))
        two.start(self.link(one, two, one.v4, self.pem))
        self.assertTrue(two.sees("module:mbusd"))
        self.assertTrue(wait_until(lambda: "already" in self.links(two)[0]["reason"] or "on this bus" in self.links(two)[0]["reason"]), self.links(two))
        self.assertNotEqual(self.links(two)[0]["state"], "active")
        ear = one.listen("app:ear", "-j")
        self.assertTrue(two.sees("app:ear"))
        two.run("mbus-send", "app:ear", "demo.text", '"once"')
        ear.wait_for(1)
        time.sleep(0.5)
        self.assertEqual(len(ear.json()), 1)

    def test_a_wrong_token_is_refused_and_the_reason_is_shown(self):
        a, b = self.host(self.bus(), "a"), self.host(self.bus(), "b")
        address = self.cable(a, b)
        a.start(self.called(a, [address]))
        entry = self.link(a, b, address, self.pem)
        a.run("mbus", "client", "rm", "-q", "from-b")
        b.start('[bus]\ndeny_interfaces = ["wan*"]\n' + entry)
        self.assertTrue(wait_until(lambda: "token" in self.links(b)[0]["reason"]), self.links(b))
        with open(os.path.join(b.folder, "to-a.token")) as file:
            self.assertNotIn(file.read().strip(), b.daemon.read_log())

    def reasons(self, host):
        return [one["reason"] for one in self.links(host)]

    def reload(self, host, toml):
        host.daemon.write_config(toml)
        host.daemon.process.send_signal(signal.SIGHUP)

    def test_a_daemon_that_is_killed_is_back_within_seconds(self):
        a1, a2, b1, b2 = self.joined(state=True)
        for killed, others in ((b1, (a1, a2)), (a1, (b1, b2))):
            killed.kill()
            killed.restart()
            began = time.monotonic()
            ear = killed.listen("app:ear", "-j", "-n", "2")
            for other in others:
                self.assertTrue(other.sees("app:ear"), (killed.name, other.name, self.links(other)))
                done = other.run("mbus-send", "-j", "-r", "app:ear", "demo.text", '"again"')
                self.assertIn('"ok":true', done.stdout)
            self.assertEqual(ear.end(), 0)
            self.assertLess(time.monotonic() - began, 10 * SLOW)
            # What came over the link before is there again, too.
            far = others[1].listen("app:far", "-j", "-n", "1")
            self.assertTrue(killed.sees("app:far"))
            self.assertIn('"ok":true', killed.run("mbus-send", "-j", "-r", "app:far", "demo.text", '"back"').stdout)
            self.assertEqual(far.end(), 0)

    def test_two_daemons_of_one_bus_with_a_link_each_deliver_once_and_stand_in(self):
        left = self.bus()
        a = self.host(left, "a")
        right = self.bus()
        b1, b2 = self.host(right, "b1"), self.host(right, "b2")
        first, second = self.cable(a, b1), self.cable(a, b2)
        a.start(self.called(a, [first, second]))
        for caller, address in ((b1, first), (b2, second)):
            caller.start('[bus]\ndeny_interfaces = ["wan*"]\n' + self.link(a, caller, address, self.pem))

        def active():
            return sorted(one["state"] == "active" for host in (b1, b2) for one in self.links(host))
        self.assertTrue(wait_until(lambda: active() == [False, True]), (self.links(b1), self.links(b2)))
        time.sleep(1)
        self.assertEqual(active(), [False, True])
        ears = [host.listen(f"app:{host.name}", "-j") for host in (a, b1, b2)]
        for host in (a, b1, b2):
            for other in (a, b1, b2):
                self.assertTrue(host.sees(f"app:{other.name}"), (host.name, other.name))
        a.run("mbus-send", "()", "demo.text", '"from a"')
        b2.run("mbus-send", "()", "demo.text", '"from b2"')
        for ear in ears:
            ear.wait_for(2)
        time.sleep(1)
        self.assertEqual([len(ear.json()) for ear in ears], [2, 2, 2])
        # The daemon with the link goes; the other one of its bus takes over.
        gone, heir = (b1, b2) if self.links(b1)[0]["state"] == "active" else (b2, b1)
        gone.daemon.stop()
        self.assertTrue(wait_until(lambda: self.links(heir)[0]["state"] == "active"), self.links(heir))
        self.assertIn('"ok":true', heir.run("mbus-send", "-j", "-r", "app:a", "demo.text", '"heir"').stdout)

    def test_a_link_ends_with_its_token(self):
        a1, a2, b1, b2 = self.joined()
        ear = b2.listen("app:ear", "-j")
        self.assertTrue(a2.sees("app:ear"))
        a1.run("mbus", "client", "rm", "-q", "from-b1")
        self.assertTrue(wait_until(lambda: "token" in self.reasons(b1)[0] and self.links(b1)[0]["state"] != "active"), self.links(b1))
        self.assertTrue(a2.misses("app:ear"))
        self.assertEqual(self.links(a1), [])
        ear.stop()

    def test_certificates_are_verified(self):
        a, b = self.host(self.bus(), "a"), self.host(self.bus(), "b")
        address = self.cable(a, b)
        kept = f'[state]\ndirectory = "{a.folder}/state"\n'
        a.start(self.called(a, [address]) + kept)
        wrong, _ = self.certificate(b, [address])
        deny = '[bus]\ndeny_interfaces = ["wan*"]\n'
        entry = self.link(a, b, address, wrong)
        b.start(deny + entry)
        self.assertTrue(wait_until(lambda: "certificate" in self.reasons(b)[0]), self.links(b))
        self.assertIn("ca_file", self.reasons(b)[0])
        # The right authority, a name that the certificate does not have.
        b.ip("address add 10.77.99.2/24 dev wan1")
        a.ip("address add 10.77.99.1/24 dev wan1")
        config = self.called(a, [address]).replace(f'tls_listen = ["{address}:{PORT}"]', f'tls_listen = ["0.0.0.0:{PORT}"]')
        right = self.pem
        a.daemon.stop()
        a.daemon.write_config(config + kept)
        a.restart()
        entry = entry.replace(wrong, right)
        self.reload(b, deny + entry.replace(address, "10.77.99.1"))
        self.assertTrue(wait_until(lambda: "mismatch" in self.reasons(b)[0]), self.links(b))
        self.assertIn("the url must name", self.reasons(b)[0])
        self.reload(b, deny + entry)
        self.assertTrue(wait_until(lambda: self.links(b)[0]["state"] == "active"), self.links(b))

    def test_a_reload_changes_patterns_and_removes_links(self):
        a, b = self.host(self.bus(), "a"), self.host(self.bus(), "b")
        address = self.cable(a, b)
        base = '[bus]\ndeny_interfaces = ["wan*"]\n'
        a.start(self.called(a, [address]))
        entry = self.link(a, b, address, self.pem)
        b.start(base + entry)
        ears = [host.listen(f"app:{host.name}-{part}") for host in (a, b) for part in ("one", "two")]
        everything = ((a, "app:b-one"), (a, "app:b-two"), (b, "app:a-one"), (b, "app:a-two"))
        for host, what in everything:
            self.assertTrue(host.sees(what), what)
        self.reload(b, base + entry + 'send = ["(app:b-one)"]\nreceive = ["(app:a-two)"]\n')
        self.assertTrue(a.misses("app:b-two"))
        self.assertTrue(b.misses("app:a-one"))
        self.assertTrue(a.sees("app:b-one"))
        self.assertTrue(b.sees("app:a-two"))
        self.reload(b, base + entry)
        for host, what in everything:
            self.assertTrue(host.sees(what), what)
        self.reload(b, base)
        for host, what in everything:
            self.assertTrue(host.misses(what, 10 * SLOW), what)
        self.assertEqual(self.links(b), [])
        self.assertTrue(wait_until(lambda: self.links(a) == []), self.links(a))
        self.assertEqual(len(ears), 4)

    def test_a_call_is_answered_over_a_link(self):
        a1, a2, b1, b2 = self.joined()
        callee = b1.daemon.client()
        callee.attach("(app:callee)")
        self.assertTrue(a2.sees("app:callee"))
        caller = a2.spawn("mbus", "call", "-j", "app:callee", "demo.ask")
        request = callee.next(PATIENCE)
        asked = re.search(rb'"ID" "([^"]*)"', request.body)[1].decode()
        answer = f'demo.ask.return((("ID" "{asked}") ("RPC-STATUS" "OK") ("RPC-TYPE" "UNICAST")) ("yes"))'
        callee.send("message", 0, to=request.fields["from"], body=answer.encode())
        self.assertEqual(caller.end(), 0, caller.errors)
        self.assertTrue(caller.json()[0]["ok"])
        callee.close()

    def test_large_messages_order_and_delay_over_a_link(self):
        a1, a2, b1, b2 = self.joined()
        large = "x" * 60000
        ear = a2.listen("app:ear", "-j", "-n", "1")
        self.assertTrue(b2.sees("app:ear"))
        self.assertIn('"ok":true', b2.run("mbus-send", "-j", "-r", "app:ear", "demo.text", f'"{large}"').stdout)
        self.assertEqual(ear.end(), 0)
        self.assertEqual(ear.json()[0]["cmds"][0]["args"][0], large)
        # Both ends at the link's own daemons: nothing may be lost, since no datagram is involved.
        count = 10000
        ear = a1.listen("app:many", "-j", "-n", str(count))
        self.assertTrue(b1.sees("app:many"))
        sender = b1.daemon.client()
        sender.attach("(app:mouth)")
        self.assertTrue(a1.sees("app:mouth"))
        for n in range(count):
            sender.send("message", 0, to="(app:many)", body=f"demo.number({n})".encode())
        self.assertEqual(ear.end(), 0)
        self.assertEqual([one["cmds"][0]["args"][0] for one in ear.json()], list(range(count)))
        sender.close()
        # A receipt comes at once.
        ear = a1.listen("app:quick", "-j")
        self.assertTrue(b1.sees("app:quick"))
        sender = b1.daemon.client(window=64)
        sender.attach("(app:asker)")
        self.assertTrue(a1.sees("app:asker"))
        took = []
        for n in range(1, 21):
            began = time.monotonic()
            sender.send("message", n, flags=1, to="(app:quick)", body=b"demo.text()")
            while sender.next().verb != "receipt":
                pass  # acks come between
            took.append(time.monotonic() - began)
        self.assertLess(sorted(took)[len(took) // 2], 0.02 * SLOW, took)
        ear.wait_for(20)
        sender.close()


if __name__ == "__main__":
    main(globals())
