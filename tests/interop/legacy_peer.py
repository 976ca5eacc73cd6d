"""Peers that behave on the wire as the Mbus implementations of the years around 2000 did: UCL's library (RAT, vic),
libgmbus and Java MBus. What they send, what they take and when they answer follows observations of the real programs,
their faults included (docs/rfc3259.md, "The legacy dialect").

    peer = Ucl("(app:ucl id:1-0@127.0.0.1)", key, group="239.255.255.247", interface="127.0.0.1", namespace=host.net)
    peer.start()
    peer.send("(app:x)", "demo.text", '(1 "a" )')                   # unreliable
    peer.send_reliably("(app:x id:...)", "demo.text", "(1 )")        # "acked" or "lost"
    peer.received                                                   # messages for this peer: Received
    peer.stop()

One thread per peer; `received`, `alive` and `faults` may be read at any time."""

import base64
import hmac
import random
import re
import select
import socket
import struct
import threading
import time
from collections import namedtuple

Received = namedtuple("Received", "type seq source destination command arguments")
Message = namedtuple("Message", "seq timestamp type source destination acks commands")


def digest(key, octets):
    return base64.b64encode(hmac.new(key, octets, "md5").digest()[:12])


def elements(address):
    """(a:b c:d) as a dict; None when it is no address."""
    inside = re.fullmatch(r"\(\s*(.*?)\s*\)", address)
    if inside is None:
        return None
    found = {}
    for one in inside[1].split():
        tag, colon, value = one.partition(":")
        if not colon:
            return None
        found[tag] = value
    return found


def argument_end(text, at):
    """Behind the parenthesis that closes the one at `at`; None without one."""
    depth = 0
    while at < len(text):
        if text[at] == '"':
            at += 1
            while at < len(text) and text[at] != '"':
                at += 2 if text[at] == "\\" else 1
        elif text[at] == "(":
            depth += 1
        elif text[at] == ")":
            depth -= 1
            if depth == 0:
                return at + 1
        at += 1
    return None


class Peer:
    octets_max = 65536
    dead_after = 5.5        # s
    ttl = {"HOSTLOCAL": 0, "LINKLOCAL": 1}
    own_port = True         # sends from a port of its own
    bye = True
    ack_delay = 0.0         # s
    first_number = 0
    resend_at = []          # s after the first transmission
    lost_after = 0.3

    def __init__(self, address, key, group, interface, namespace, scope="HOSTLOCAL", port=47000):
        self.key, self.group, self.interface, self.scope, self.port = key, group, interface, scope, port
        self.address = self.own_address(address)
        self.own = elements(self.address)
        self.namespace = namespace
        self.received, self.faults = [], []
        self.alive = {}          # address -> time of the last sign of life
        self.first_source = {}   # address -> where its first message came from
        self.number = self.first_number
        self.newest = {}         # source -> its newest reliable number (UCL)
        self.owed = []           # (due, to, number)
        self.waiting = {}        # number -> Event
        self.lock = threading.Lock()
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    # --- what differs ------------------------------------------------------------------------

    def own_address(self, address):
        return address

    def header(self, number, kind, source, destination, acks):
        return f"mbus/1.0 {number} {self.timestamp()} {kind} {source} {destination} {acks}\n"

    def timestamp(self):
        return int(time.time() * 1000)

    def ack_list(self, numbers):
        return "(" + "".join(f"{number} " for number in numbers) + ")"

    def command(self, name, arguments):
        return f"{name} {arguments}\n"

    def seal(self, octets):
        return digest(self.key, octets) + b"\n" + octets

    def hello_interval(self):
        return 1.0

    # --- sockets -----------------------------------------------------------------------------

    def open(self):
        kinds = socket.AF_INET, socket.SOCK_DGRAM
        self.listening = self.namespace.socket(*kinds)
        self.listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if not self.own_port:
            self.listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        with self.namespace.entered():
            self.listening.bind(("", self.port))
            # They join wherever the route to the group leads.
            self.listening.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, struct.pack("4s4s", socket.inet_aton(self.group), bytes(4)))
        self.sending = self.namespace.socket(*kinds) if self.own_port else self.listening
        with self.namespace.entered():
            if self.own_port:
                self.sending.bind((self.interface if self.scope == "HOSTLOCAL" else "", 0))
            self.sending.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, self.ttl[self.scope])
            self.sending.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 1)

    def transmit(self, octets, to=None):
        self.sending.sendto(self.seal(octets), to or (self.group, self.port))

    # --- life --------------------------------------------------------------------------------

    def start(self):
        self.open()
        self.thread.start()

    def stop(self):
        if self.ended.is_set():
            return
        self.ended.set()
        self.thread.join()
        if self.bye:
            self.send("()", "mbus.bye", "()")
        for one in {self.listening, self.sending}:
            one.close()

    def run(self):
        hello_at = time.monotonic()
        sockets = list({self.listening, self.sending})
        while not self.ended.is_set():
            now = time.monotonic()
            if now >= hello_at:
                self.send("()", "mbus.hello", "()")
                hello_at = now + self.hello_interval()
            self.acknowledge(now)
            for one in select.select(sockets, [], [], 0.01)[0]:
                datagram, source = one.recvfrom(65536)
                self.take(datagram, source)

    def send(self, destination, name, arguments, kind="U", acks="()"):
        """Sends one command to the group; its number."""
        with self.lock:
            number = self.next_number()
        octets = (self.header(number, kind, self.address, destination, acks) + self.command(name, arguments)).encode()
        self.transmit(octets, self.path(destination))
        self.last = octets
        return number

    def next_number(self):
        self.number += 1
        return self.number - 1

    def path(self, destination):
        return None

    def send_reliably(self, destination, name, arguments):
        acknowledged = threading.Event()
        with self.lock:
            number = self.next_number()
            self.waiting[number] = acknowledged
        octets = (self.header(number, "R", self.address, destination, "()") + self.command(name, arguments)).encode()
        begin = time.monotonic()
        for due in [0.0, *self.resend_at]:
            if acknowledged.wait(max(0.0, begin + due - time.monotonic())):
                break
            self.transmit(octets, self.path(destination))
        good = acknowledged.wait(max(0.0, begin + self.lost_after - time.monotonic()))
        with self.lock:
            del self.waiting[number]
        return "acked" if good else "lost"

    def acknowledge(self, now):
        due = [one for one in self.owed if one[0] <= now]
        self.owed = [one for one in self.owed if one[0] > now]
        for source, to in {(source, to) for _, source, to, _ in due}:
            numbers = [number for _, one_source, one_to, number in due if (one_source, one_to) == (source, to)]
            with self.lock:
                own = self.next_number()
            self.transmit(self.header(own, "U", source, to, self.ack_list(numbers)).encode())

    # --- receiving ---------------------------------------------------------------------------

    def take(self, datagram, where):
        text = self.opened(datagram) if len(datagram) <= self.octets_max else None
        message = self.parse(text.decode("utf-8", "surrogateescape")) if text is not None else None
        if message is None or elements(message.source) == self.own:
            return
        self.first_source.setdefault(message.source, where)
        self.heard(message)
        if self.ack_is_for_me(message):
            with self.lock:
                for number in message.acks:
                    if number in self.waiting:
                        self.waiting[number].set()
        mine = self.matches(elements(message.destination))
        copy = message.type == "R" and self.newest.get(message.source) == message.seq
        if message.type == "R" and self.acknowledges(message, mine):
            self.owed.append((time.monotonic() + self.ack_delay, self.ack_source(message), message.source, message.seq))
        if mine and not (copy and self.drops_copies):
            for name, arguments in message.commands:
                if name not in ("mbus.hello", "mbus.bye"):
                    self.received.append(Received(message.type, message.seq, message.source, message.destination, name, arguments))
        if message.type == "R":
            self.newest[message.source] = message.seq

    drops_copies = False

    def acknowledges(self, message, mine):
        return mine

    def ack_source(self, message):
        return self.address

    def ack_is_for_me(self, message):
        return self.matches(elements(message.destination))

    def heard(self, message):
        self.alive[message.source] = time.monotonic()

    def matches(self, destination):
        return all(self.own.get(tag) == value for tag, value in destination.items())

    def sees(self, **wanted):
        """Addresses that are alive and have these elements."""
        limit = time.monotonic() - self.dead_after
        return [address for address, last in list(self.alive.items()) if last > limit and
                all(elements(address).get(tag) == value for tag, value in wanted.items())]


class Ucl(Peer):
    """The common library of RAT and vic, 1.2.19: one socket on the bus port, never unicast."""
    octets_max = 1500
    dead_after = 5.0
    own_port = False
    first_number = 1
    resend_at = [0.01, 0.5, 0.75, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5]
    lost_after = 5.0
    drops_copies = True

    def header(self, number, kind, source, destination, acks):
        return f"mbus/1.0 {number:6} {self.timestamp()} {kind} {source} {destination} {acks}\n"

    def ack_list(self, numbers):
        return f"({numbers[0]:6})"

    def next_number(self):
        self.number = 1 if self.number >= 999999 else self.number + 1
        return self.number - 1

    def acknowledge(self, now):
        # Each at once, in a message of its own.
        owed, self.owed = self.owed, []
        for _, source, to, number in owed:
            with self.lock:
                own = self.next_number()
            self.transmit(self.header(own, "U", source, to, self.ack_list([number])).encode())

    def opened(self, datagram):
        # Exactly 16 characters and LF; all that follows is digested, NULs too.
        if datagram[16:17] != b"\n" or digest(self.key, datagram[17:]) != datagram[:16]:
            return None
        return datagram[17:]

    def parse(self, text):
        head, _, rest = text.rstrip("\0").partition("\n")
        found = re.fullmatch(r"mbus/1\.0\s+(\d+)\s+(\d+)\s+(\S)\s+(\([^)]*\))\s+(\([^)]*\))\s+\(([ \d]*)\)(\r?)\s*", head)
        if found is None or elements(found[4]) is None or elements(found[5]) is None:
            return None
        acks = [] if found[7] else [int(number) for number in found[6].split()]
        return Message(int(found[1]), int(found[2]), "R" if found[3] == "R" else "U", found[4], found[5], acks, self.commands(rest))

    @staticmethod
    def commands(text):
        found, at = [], 0
        while True:
            at += len(text[at:]) - len(text[at:].lstrip())
            # Everything up to the next blank is the name: `name(...)` is none that anybody knows.
            name = re.match(r"\S+ +(?=\()", text[at:])
            end = argument_end(text, at + name.end()) if name else None
            if end is None or "(" in name[0]:
                return found
            found.append((name[0].strip(), text[at + name.end():end]))
            at = end


class Libgmbus(Peer):
    """libgmbus 0.3.0: a port of its own, unicast, acknowledgements after 70 ms for everybody's messages, never a second try."""
    octets_max = 32768
    ttl = {"HOSTLOCAL": 1, "LINKLOCAL": 1}
    bye = False
    ack_delay = 0.07

    def own_address(self, address):
        return "(" + "".join(f"{tag}:{value} " for tag, value in sorted(elements(address).items())) + ")"

    def command(self, name, arguments):
        return f"{name}{arguments}\n"

    def hello_interval(self):
        return max(1.0, 0.2 * len(self.alive)) * random.uniform(0.9, 1.1)

    def path(self, destination):
        return next((where for address, where in list(self.first_source.items()) if elements(address) == elements(destination)), None)

    def send_reliably(self, destination, name, arguments):
        if not any(elements(one) == elements(destination) for one in self.sees()):
            # Known peers only; it takes the first one that matches.
            known = [one for one in self.sees() if elements(destination).items() <= elements(one).items()]
            if not known:
                return "lost"
        return super().send_reliably(destination, name, arguments)

    def opened(self, datagram):
        found = re.match(rb"(.{16})\r?\n", datagram, re.S)
        if found is None or digest(self.key, datagram[found.end():]) != found[1]:
            return None
        return datagram[found.end():]

    def parse(self, text):
        head, _, rest = text.partition("\n")
        found = re.fullmatch(r"mbus/1\.0[ \t](\d+)[ \t](\d+)[ \t]([RU])[ \t](\([^)]*\))[ \t](\([^)]*\))[ \t]\( ?((?:\d+ )*)\) ?\r?", head)
        if found is None:
            return None
        for address in (found[4], found[5]):
            if elements(address) is None or not all(tag.isalnum() for tag in elements(address)):
                return None
        return Message(int(found[1]), int(found[2]), found[3], found[4], found[5], [int(one) for one in found[6].split()], self.commands(rest))

    def commands(self, text):
        found, at = [], 0
        while True:
            at += len(text[at:]) - len(text[at:].lstrip())
            name = re.match(r"([A-Za-z][\w.-]*) ?(?=\()", text[at:])
            end = argument_end(text, at + name.end()) if name else None
            if end is None:
                return found
            arguments = text[at + name.end():end]
            plain = re.sub(r'"(?:\\.|[^"\\])*"', '""', arguments)
            if "<>" in plain or re.match(r"\( ?[a-z]", plain):
                self.faults.append(f"crash: {name[1]}{arguments}")
            if re.search(r"[\w.]\)", plain) and (plain.count("(") > 1 or text[end:].strip()):
                self.faults.append(f"garbled: {name[1]}{arguments}")
            if found and found[0][0] == "mbus.hello":
                return found  # what follows a hello is dropped
            found.append((name[1], arguments))
            at = end

    def acknowledges(self, message, mine):
        return True

    def ack_is_for_me(self, message):
        return True

    def heard(self, message):
        # Only a hello as the first command is a sign of life.
        if message.commands and message.commands[0][0] == "mbus.hello":
            self.alive[message.source] = time.monotonic()


class JavaMbus(Peer):
    """Java MBus 1.0 beta7: NULs behind what was digested, timestamps in seconds, acknowledgements in the name of the destination."""
    octets_max = 4096
    resend_at = [0.1, 0.2, 0.3]
    lost_after = 0.305

    def own_address(self, address):
        rest = {tag: value for tag, value in elements(address).items() if tag != "id"}
        made = f"{random.randrange(10 ** 7, 10 ** 8)}-{random.randrange(10, 100)}@{self.interface}"
        return "(" + " ".join(f"{tag}:{value}" for tag, value in [*rest.items(), ("id", made)]) + ")"

    def timestamp(self):
        return int(time.time())

    def seal(self, octets):
        return digest(self.key, octets) + b"\n" + octets + bytes(8 - len(octets) % 8)

    def opened(self, datagram):
        text = datagram[17:].rstrip(b"\0")
        if datagram[16:17] != b"\n" or digest(self.key, text) != datagram[:16]:
            return None
        return text

    def parse(self, text):
        head, _, rest = text.partition("\n")
        found = re.fullmatch(r"mbus/1\.\d +(\d+) +(\d+) +([RUru]) +(\([^)]*\)) +(\([^)]*\)) +\(([ \d]*)\) *(\r?)", head)
        if found is None or int(found[1]) >= 2 ** 31 or elements(found[4]) is None or elements(found[5]) is None:
            return None
        acks = [] if found[7] else [int(number) for number in found[6].split()]
        return Message(int(found[1]), int(found[2]), found[3].upper(), found[4], found[5], acks, self.commands(rest))

    @staticmethod
    def commands(text):
        found, at = [], 0
        while True:
            at += len(text[at:]) - len(text[at:].lstrip())
            name = re.match(r"([A-Za-z][\w.-]*) *(?=\()", text[at:])
            end = argument_end(text, at + name.end()) if name else None
            if end is None:
                return found
            arguments = text[at + name.end():end]
            if any("\n" in one for one in re.findall(r'"(?:\\.|[^"\\])*"', arguments)) or "<>" in arguments:
                return found
            found.append((name[1], arguments))
            at = end

    def matches(self, destination):
        # Tags that it does not have itself do not matter.
        return all(self.own[tag] == value for tag, value in destination.items() if tag in self.own)

    def acknowledges(self, message, mine):
        return mine and bool(elements(message.destination))

    def ack_source(self, message):
        return message.destination
