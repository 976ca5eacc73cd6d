"""Hosts joined by a bridge, for tests of the real mbusd on a real network.

    lab = Lab()                          # a bridge of its own
    a, b = lab.host("a"), lab.host("b")  # network namespaces with eth0 and addresses
    a.start(), b.start()                 # an mbusd on each
    a.listen("app:x", "-j")              # tools, in the background
    a.run("mbus-send", "app:x", "demo.text")

main(globals()) runs the tests of a file in namespaces (network, mounts, processes) that belong to this
run alone: nothing here meets another network, and when the test ends, even by SIGKILL, the kernel removes
all that it made. Where namespaces can't be made it says so and exits 77 (skipped).

The directory of mbusd and the tools is the first argument; MBUS_TEST_SLOW stretches the
time limits for builds that run slower (sanitizers)."""

import contextlib
import ctypes
import json
import os
import re
import shlex
import socket
import struct
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from mbws_raw import Daemon, scratch  # noqa: E402

SKIPPED = 77
BIN = None
SLOW = float(os.environ.get("MBUS_TEST_SLOW", "1"))
PATIENCE = 20 * SLOW  # s; for what certainly happens, only not at once on a busy machine
GROUP_V4, GROUP_V6, PORT = "239.255.255.247", "ff02::300", 47000
CLONE_NEWNET = 0x40000000

KEY = "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA="   # 20 octets
OTHER_KEY = "OTk5NDU2Nzg5MDEyMzQ1Njc4OTA="


def key_file(hash_key=f"HMAC-SHA1-96,{KEY}", scope="LINKLOCAL", cipher="NOENCR,", more=""):
    """The text of an RFC 3259 configuration file."""
    return f"[MBUS]\nCONFIG_VERSION=1\nHASHKEY=({hash_key})\nENCRYPTIONKEY=({cipher})\nSCOPE={scope}\n{more}"


def wait_until(what, seconds=None, period=0.02):
    """The first true value of what(); the last, false one after `seconds`."""
    deadline = time.monotonic() + (PATIENCE if seconds is None else seconds)
    while True:
        found = what()
        if found or time.monotonic() > deadline:
            return found
        time.sleep(period)


# --- network namespaces ------------------------------------------------------------------------

libc = ctypes.CDLL(None, use_errno=True)


def checked(result):
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


class Namespace:
    """A network namespace, held open by a descriptor."""

    def __init__(self, fresh=True):
        before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        if fresh:
            checked(libc.unshare(CLONE_NEWNET))
        self.fd = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        if fresh:
            checked(libc.setns(before, CLONE_NEWNET))
        os.close(before)
        self.path = f"/proc/{os.getpid()}/fd/{self.fd}"
        self.prefix = ["nsenter", f"--net={self.path}"]

    @contextlib.contextmanager
    def entered(self):
        """Sockets made in here belong to the namespace for ever."""
        before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        checked(libc.setns(self.fd, CLONE_NEWNET))
        try:
            yield
        finally:
            checked(libc.setns(before, CLONE_NEWNET))
            os.close(before)

    def socket(self, family, kind, protocol=0):
        with self.entered():
            return socket.socket(family, kind, protocol)

    def command(self, text, stdin=None):
        done = subprocess.run([*self.prefix, *shlex.split(text)], input=stdin, text=True, capture_output=True, timeout=PATIENCE * 3)
        if done.returncode != 0:
            raise AssertionError(f"{text}: {done.stderr}")
        return done.stdout

    def close(self):
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


class Running:
    """A program in the background; what it prints is gathered with the time it came."""

    def __init__(self, words, environment, prefix=()):
        self.words = words
        self.process = subprocess.Popen([*prefix, *words], env=environment, text=True, errors="surrogateescape",
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.lines, self.errors = [], []
        self.readers = [threading.Thread(target=self.gather, args=pair, daemon=True)
                        for pair in ((self.process.stdout, self.lines), (self.process.stderr, self.errors))]
        for reader in self.readers:
            reader.start()

    @staticmethod
    def gather(stream, into):
        for line in stream:
            into.append(line.rstrip("\n"))

    def json(self):
        return [json.loads(line) for line in list(self.lines)]

    def wait_for(self, number, seconds=None):
        """The first `number` lines."""
        if not wait_until(lambda: len(self.lines) >= number, seconds):
            raise AssertionError(f"{self.words}: {number} lines expected, there are {self.lines}, errors {self.errors}")
        return self.lines[:number]

    def end(self, seconds=None):
        try:
            return self.process.wait(PATIENCE * 3 if seconds is None else seconds)
        finally:
            self.stop()

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for reader in self.readers:
            reader.join()
        self.process.stdout.close()
        self.process.stderr.close()


class Capture:
    """The UDP datagrams that pass an interface of a namespace, as tcpdump would show them."""

    def __init__(self, namespace, interface="eth0"):
        everything = 0x0003  # ETH_P_ALL
        self.socket = namespace.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(everything))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024 * 1024)
        with namespace.entered():
            self.socket.bind((interface, everything))
        self.socket.setblocking(False)

    def datagrams(self):
        """What has come since the last call: dicts with src, dst, sport, dport, ttl, payload."""
        found = []
        while True:
            try:
                found.append(self.parsed(self.socket.recv(65536)))
            except BlockingIOError:
                return [one for one in found if one is not None]

    @staticmethod
    def parsed(packet):
        if packet[0] >> 4 == 4 and packet[9] == socket.IPPROTO_UDP:
            head, ttl = (packet[0] & 15) * 4, packet[8]
            src, dst = (socket.inet_ntop(socket.AF_INET, packet[at:at + 4]) for at in (12, 16))
        elif packet[0] >> 4 == 6 and packet[6] == socket.IPPROTO_UDP:
            head, ttl = 40, packet[7]
            src, dst = (socket.inet_ntop(socket.AF_INET6, packet[at:at + 16]) for at in (8, 24))
        else:
            return None
        sport, dport, size = struct.unpack(">HHH", packet[head:head + 6])
        return {"src": src, "dst": dst, "sport": sport, "dport": dport, "ttl": ttl, "payload": packet[head + 8:head + size]}

    def close(self):
        self.socket.close()


# --- hosts -------------------------------------------------------------------------------------


class Host:
    """A network namespace with an mbusd of its own."""

    def __init__(self, lab, name, namespace):
        self.lab, self.name, self.net = lab, name, namespace
        self.folder = os.path.join(lab.folder.name, name)
        os.mkdir(self.folder)
        self.daemon = None

    def ip(self, text):
        return self.net.command("ip " + text)

    def lose(self, input_percent=0, output_percent=0):
        """Random loss of UDP datagrams that come in and go out."""
        rules = ["flush ruleset"]
        for hook, percent in (("input", input_percent), ("output", output_percent)):
            if percent:
                rules += [f"table inet loss_{hook} {{", f"chain losing {{ type filter hook {hook} priority 0;",
                          f"meta l4proto udp numgen random mod 100 < {percent} counter drop", "}", "}"]
        self.net.command("nft -f -", stdin="\n".join(rules) + "\n")

    def settle(self, interface="eth0", v4=True, v6=True):
        """Waits until the addresses can be used: carrier, and for IPv6 the end of duplicate detection."""
        def usable():
            shown = self.ip(f"address show dev {interface}")
            return "LOWER_UP" in shown and (not v4 or "inet " in shown) and \
                (not v6 or ("inet6 fe80" in shown and "tentative" not in shown))
        assert wait_until(usable), self.ip("address")

    def start(self, toml="", key=None, wait=True):
        """Starts mbusd; with `wait` until its socket answers."""
        daemon = Daemon(os.path.join(BIN, "mbusd"), self.folder, toml)
        with open(daemon.key, "w") as file:
            file.write(key_file() if key is None else key)
        command = daemon.command
        daemon.command = lambda *more: [*self.net.prefix, *command(*more)]
        self.daemon = daemon
        self.started = time.monotonic()
        return daemon.start() if wait else daemon

    def restart(self):
        self.started = time.monotonic()
        self.daemon.start()

    def kill(self):
        self.daemon.process.kill()
        self.daemon.process.wait()

    @property
    def environment(self):
        return dict(os.environ, MBUS_SOCKET=self.daemon.socket, MBUS=self.daemon.key, TZ="UTC")

    def run(self, tool, *words, code=0, stdin=None, seconds=None):
        """A tool to its end; `code` None takes every exit status."""
        done = subprocess.run([*self.net.prefix, os.path.join(BIN, tool), *words], env=self.environment, text=True, capture_output=True,
                              timeout=PATIENCE * 3 if seconds is None else seconds,
                              **({"stdin": subprocess.DEVNULL} if stdin is None else {"input": stdin}))
        if code is not None and done.returncode != code:
            raise AssertionError(f"{self.name}: {tool} {words} ended with {done.returncode}, not {code}\nstdout: {done.stdout[-2000:]}\n"
                                 f"stderr: {done.stderr[-2000:]}\nmbusd: {self.daemon.read_log()[-2000:]}")
        return done

    def spawn(self, tool, *words):
        running = Running([os.path.join(BIN, tool), *words], self.environment, self.net.prefix)
        self.lab.cleanups.append(running.stop)
        return running

    def listen(self, address, *options):
        """mbus-listen, attached."""
        running = self.spawn("mbus-listen", address, *options)
        assert self.sees(address), running.errors
        return running

    def sees(self, pattern, seconds=None):
        """Waits until an entity matches."""
        return wait_until(lambda: self.run("mbus", "match", "-q", pattern, code=None).returncode == 0, seconds)

    def misses(self, pattern, seconds=None):
        """Waits until no entity matches."""
        return wait_until(lambda: self.run("mbus", "match", "-q", pattern, code=None).returncode == 3, seconds)

    def ask(self, what):
        """The results of a request to the daemon itself, lists of pairs as dicts."""
        client = self.daemon.client()
        try:
            return ask(client, what, self.daemon.process.pid)
        finally:
            client.close()

    def dropped(self):
        return self.ask("counters")["bus-dropped"]

    def peers(self):
        """The entities of other hosts."""
        return [json.loads(line) for line in self.run("mbus", "peers", "-j").stdout.splitlines() if '"present"' in line]


class Lab:
    """A bridge and the hosts on it. close() ends all that was started."""

    def __init__(self):
        self.folder = scratch()
        self.cleanups = []
        self.hosts = []
        self.bridge = Namespace()
        self.bridge.command("ip link add br0 type bridge mcast_snooping 0")
        self.bridge.command("ip link set br0 up")

    def host(self, name, v4=True, v6=True, plugged=True):
        """A host with eth0 at the bridge: 10.9.0.n/24 and a link-local IPv6 address, as asked for. Not
        plugged: loopback only, and down."""
        namespace = Namespace()
        made = Host(self, name, namespace)
        self.hosts.append(made)
        made.number = len(self.hosts)
        made.v4 = f"10.9.0.{made.number}"
        if not v6:
            namespace.command("sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1")
        if plugged:
            made.ip("link set lo up")
            self.plug(made, "eth0")
            if v4:
                made.ip(f"address add {made.v4}/24 brd + dev eth0")
            made.ip("link set eth0 up")
            made.settle("eth0", v4, v6)
        return made

    def plug(self, host, interface):
        """A cable from the bridge to a new interface of the host, which stays down."""
        end = f"{host.name}-{interface}"
        self.bridge.command(f"ip link add {end} master br0 type veth peer name {interface} netns {host.net.path}")
        self.bridge.command(f"ip link set {end} up")

    def close(self):
        for undo in reversed(self.cleanups):
            undo()
        for host in self.hosts:
            if host.daemon is not None:
                host.daemon.__exit__()
            host.net.close()
        self.bridge.close()
        self.folder.cleanup()


class LabTest(unittest.TestCase):
    """A test with a lab of its own; when it fails, it shows what the daemons logged."""

    def setUp(self):
        self.new_lab()
        self.addCleanup(self.show_logs)

    def new_lab(self):
        self.lab = Lab()
        self.addCleanup(self.lab.close)

    def show_logs(self):
        result = self._outcome.result
        if any(test.id() == self.id() for test, _ in result.failures + result.errors):
            for host in self.lab.hosts:
                if host.daemon is not None:
                    print(f"--- mbusd on {host.name}:\n{host.daemon.read_log()[-3000:]}", file=sys.stderr)


# --- requests to the daemon --------------------------------------------------------------------


def parse(text):
    """Mbus values as Python: lists, str for strings and symbols, int, float."""
    tokens = re.findall(r'"(?:\\.|[^"\\])*"|[()]|[^\s()]+', text)

    def value():
        token = tokens.pop(0)
        if token == "(":
            items = []
            while tokens[0] != ")":
                items.append(value())
            tokens.pop(0)
            return items
        if token.startswith('"'):
            return re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], token[1:-1])
        for kind in (int, float):
            try:
                return kind(token)
            except ValueError:
                pass
        return token

    found = []
    while tokens:
        found.append(value())
    return found


def pairs(what):
    """A list of (key value) lists as a dict, all the way down."""
    if isinstance(what, list) and what and all(isinstance(one, list) and len(one) == 2 and isinstance(one[0], str) for one in what):
        return {key: pairs(value) for key, value in what}
    return [pairs(one) for one in what] if isinstance(what, list) else what


def ask(client, what, pid):
    """Asks the daemon with this process id, and none of those beside it on the bus."""
    client.send("watch", request=2, to="(app:mbusd module:mbusd)")
    found = []
    while (frame := client.next(PATIENCE)).verb == "entity":
        found.append(frame.entity)
    daemon = next(one for one in found if f"id:{pid}-" in one)
    own = client.attach("(module:netlab)", request=3)
    client.send("message", 1, to=daemon, entity=own, body=f'mbusd.{what}((("ID" "1") ("RPC-TYPE" "UNICAST")) ())'.encode())
    while True:
        frame = client.next(PATIENCE)
        if frame.verb == "message" and b"mbusd." in frame.body:
            head, (status, results) = parse(frame.body.decode())[1]
            assert status[0] == "OK", frame
            return pairs(results)


# --- start of a test file ----------------------------------------------------------------------


def in_own_namespaces():
    """Runs this program anew in namespaces of its own; returns when it can't."""
    words = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
    if os.geteuid() != 0:
        words += ["--user", "--map-root-user"]
    probe = subprocess.run([*words, "true"], capture_output=True, text=True)
    if probe.returncode == 0:
        os.environ["MBUS_NETLAB"] = "1"
        os.execvp(words[0], [*words, sys.executable, *sys.argv])
    print(f"skipped: no right to make namespaces, run as root ({probe.stderr.strip()})")
    sys.exit(SKIPPED)


def main(names):
    """Runs the tests of the file whose globals() these are."""
    global BIN
    if len(sys.argv) < 2:
        sys.exit(names["__doc__"])
    if "MBUS_NETLAB" not in os.environ:
        in_own_namespaces()
    BIN = os.path.abspath(sys.argv.pop(1))
    unittest.main(module=names["__name__"], verbosity=2)
