"""MBWS binary frames by hand (docs/mbws.md, section 2), for tests that must not share code with
what they test, and a private mbusd to speak to."""

import ctypes
import os
import signal
import socket
import struct
import subprocess
import tempfile
import time

VERBS = {name: code for code, name in enumerate(
    "connect connected attach detach ok nak message ack receipt watch entity grant revoke ping pong close error".split(),
    start=1)}
VERB_NAMES = {code: name for name, code in VERBS.items()}
# name: (key, octets of an integer, 0 for text)
FIELDS = {"to": (1, 0), "from": (2, 0), "entity": (3, 0), "session": (4, 0), "received": (5, 8), "window": (6, 4),
          "expiry": (7, 4), "request": (8, 4), "code": (9, 0), "text": (10, 0), "type": (11, 0), "time": (12, 8),
          "ttl": (13, 4), "matched": (14, 4), "missed": (15, 8), "auth": (16, 0), "version": (17, 2), "name": (18, 0),
          "mode": (19, 0), "queue": (20, 0), "state": (21, 0), "resumed": (22, 1), "command": (23, 0), "url": (24, 0),
          "uses": (25, 4), "policy": (26, 0), "tried": (27, 1), "took": (28, 4), "via": (29, 0), "broker": (30, 0),
          "about": (31, 8), "size": (32, 4), "durable": (33, 1), "origin": (34, 0),
          "sequence": (35, 4), "interface": (36, 0)}
FIELD_NAMES = {key: (name, size) for name, (key, size) in FIELDS.items()}
RELIABLE, RECEIPT, REDELIVERED = 1, 2, 4


def encode(verb, number=0, flags=0, body=b"", **fields):
    header = b""
    for name, value in fields.items():
        key, size = FIELDS[name.rstrip("_")]
        octets = value.encode() if size == 0 else value.to_bytes(size, "big")
        header += struct.pack(">BH", key, len(octets)) + octets
    return struct.pack(">BBHIQ", VERBS[verb], flags, 16 + len(header), len(body), number) + header + body


class Frame:
    def __init__(self, octets):
        verb, self.flags, header, _, self.number = struct.unpack(">BBHIQ", octets[:16])
        self.verb = VERB_NAMES[verb]
        self.body = octets[header:]
        self.fields = {}
        at = 16
        while at < header:
            key, size = struct.unpack(">BH", octets[at:at + 3])
            value = octets[at + 3:at + 3 + size]
            name, integer = FIELD_NAMES[key]
            self.fields[name] = int.from_bytes(value, "big") if integer else value.decode()
            at += 3 + size
        assert at == header, "fields end at the header's end"

    def __getattr__(self, name):
        try:
            return self.fields[name.rstrip("_")]
        except KeyError:
            raise AttributeError(f"{self} has no field {name}") from None

    def __repr__(self):
        return f"<{self.verb} {self.number} flags={self.flags} {self.fields} {self.body[:80]!r}>"


class Closed(Exception):
    """The daemon has ended the connection."""


class Client:
    def __init__(self, path, connect=True, **fields):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(10)
        self.socket.connect(path)
        self.held = b""
        if connect:
            self.send("connect", version=1, **({"name": "raw"} | fields))
            self.connected = self.expect("connected")

    def send(self, verb, number=0, flags=0, body=b"", **fields):
        self.socket.sendall(encode(verb, number, flags, body, **fields))

    def raw(self, octets):
        self.socket.sendall(octets)

    def send_frames(self, frames):
        self.raw(b"".join(frames))

    def next(self, timeout=10):
        self.socket.settimeout(timeout)
        while True:
            if len(self.held) >= 8:
                header, body = struct.unpack(">HI", self.held[2:8])
                if len(self.held) >= header + body:
                    frame, self.held = Frame(self.held[:header + body]), self.held[header + body:]
                    return frame
            try:
                got = self.socket.recv(65536)
            except ConnectionResetError:
                got = b""
            if not got:
                raise Closed()
            self.held += got

    def expect(self, verb, timeout=10):
        frame = self.next(timeout)
        assert frame.verb == verb, f"{verb} expected, {frame} came"
        return frame

    def silent(self, seconds=0.2):
        """True when nothing comes within the time."""
        try:
            frame = self.next(seconds)
        except TimeoutError:
            return True
        raise AssertionError(f"nothing expected, {frame} came")

    def attach(self, entity, request=1, **fields):
        self.send("attach", request=request, entity=entity, **fields)
        return self.expect("ok").entity

    def close(self):
        self.socket.close()


def private_network():
    """A network namespace of our own with loopback up: nothing here meets another bus."""
    if hasattr(os, "unshare"):
        os.unshare(os.CLONE_NEWNET)
    else:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(0x40000000) != 0:  # CLONE_NEWNET
            return False
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    return True


class Daemon:
    """A private mbusd on loopback with a key of its own."""

    KEY = ("[MBUS]\nCONFIG_VERSION=1\nHASHKEY=(HMAC-SHA1-96,MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=)\n"
           "ENCRYPTIONKEY=(NOENCR,)\nSCOPE=HOSTLOCAL\n")

    def __init__(self, binary, folder, toml=""):
        self.binary, self.folder = binary, folder
        self.socket = os.path.join(folder, "mbusd.sock")
        self.config = os.path.join(folder, "mbusd.toml")
        self.key = os.path.join(folder, "mbus.conf")
        self.log = os.path.join(folder, "log")
        with open(os.open(self.key, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
            file.write(self.KEY)
        self.write_config(toml)
        self.process = None

    def write_config(self, toml):
        with open(self.config, "w") as file:
            file.write(toml)

    def command(self, *more):
        return [self.binary, "--config", self.config, "--key-file", self.key, "--socket", self.socket, *more]

    def start(self, *more):
        with open(self.log, "a") as log:
            self.process = subprocess.Popen(self.command(*more), stderr=log, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(f"mbusd ended with {self.process.returncode}:\n{self.read_log()}")
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
                try:
                    probe.connect(self.socket)
                    return self
                except OSError:
                    time.sleep(0.02)
        raise AssertionError(f"no socket after 10 s:\n{self.read_log()}")

    def read_log(self):
        with open(self.log) as file:
            return file.read()

    def wait_for_log(self, text, seconds=10):
        deadline = time.monotonic() + seconds
        while text not in self.read_log():
            assert time.monotonic() < deadline, f"{text!r} not in the log:\n{self.read_log()}"
            time.sleep(0.02)

    def client(self, **fields):
        return Client(self.socket, **fields)

    def stop(self, how=signal.SIGTERM):
        if self.process is None:
            return None
        self.process.send_signal(how)
        code = self.process.wait(20)
        self.process = None
        return code

    def rss_kb(self):
        with open(f"/proc/{self.process.pid}/status") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def scratch():
    return tempfile.TemporaryDirectory(prefix="mbusd-test-")
