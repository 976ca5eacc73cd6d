#!/usr/bin/env python3
"""Buses on different links become one over MBWS links between daemons (docs/links.md): reliable and
unreliable messages, three daemons in a ring, two ways to one bus, a link that is cut.

    links_test.py BIN_DIR [TEST...]"""

import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from netlab import PATIENCE, Lab, LabTest, main, wait_until  # noqa: E402

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

    def joined(self):
        """a1 and a2 on one bus, b1 and b2 on another; b1 calls a1."""
        left, right = self.bus(), None
        a1, a2 = self.host(left, "a1"), self.host(left, "a2")
        right = self.bus()
        b1, b2 = self.host(right, "b1"), self.host(right, "b2")
        address = self.cable(a1, b1)
        a1.start(self.called(a1, [address]))
        a2.start()
        b1.start('[bus]\ndeny_interfaces = ["wan*"]\n' + self.link(a1, b1, address, self.pem))
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


if __name__ == "__main__":
    main(globals())
