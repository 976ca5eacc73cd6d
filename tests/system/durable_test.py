#!/usr/bin/env python3
"""Durable sessions and queues of the real mbusd, which is killed with -9 again and again.

    durable_test.py MBUSD [TEST...]

Runs in a network namespace of its own (needs root); without one it says so and exits 77 (skipped)."""

import os
import random
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from mbws_raw import Closed, Client, Daemon, Frame, RECEIPT, REDELIVERED, RELIABLE, encode, private_network, scratch  # noqa: E402
from websocket_raw import BINARY, CLOSE, Socket, frame as ws_frame  # noqa: E402

MBUSD = None
SEED = int(os.environ.get("MBUS_TEST_SEED", random.randrange(1 << 32)))
MESSAGES = int(os.environ.get("MBUS_TEST_MESSAGES", 20000))
JOBS = int(os.environ.get("MBUS_TEST_JOBS", 30000))
WINDOW = 256
PORT = 8407  # of the namespace, which is ours alone


class Peer:
    """A durable session that outlives its connections: numbers both ways, what is not acknowledged."""

    def __init__(self, path, entity, to, count, connect=lambda path: Client(path, connect=False)):
        self.path, self.entity, self.to, self.count, self.connect = path, entity, to, count, connect
        self.client, self.session = None, None
        self.received, self.sent, self.acked = 0, 0, 0
        self.window = WINDOW
        self.got, self.receipts = [], []
        self.resumes = 0

    def dial(self):
        """Connects and resumes; False while the daemon is away."""
        try:
            client = self.connect(self.path)
        except (Closed, OSError):
            return False
        fields = {"window": WINDOW, "expiry": 600, "durable": 1, "name": "peer"}
        if self.session:
            fields |= {"session": self.session, "received": self.received}
        try:
            client.send("connect", version=1, **fields)
            connected = client.expect("connected")
            assert connected.durable == 1, connected
            if self.session:
                assert connected.resumed == 1, "the session was lost"
                self.resumes += 1
            else:
                self.session = connected.session
                client.send("attach", request=1, entity=self.entity)
                assert client.expect("ok").request == 1
        except (Closed, OSError):
            client.close()
            return False
        self.window = connected.window
        self.acked = connected.received
        self.sent = self.acked
        self.client = client
        client.socket.setblocking(False)
        return True

    def hang_up(self):
        self.client.close()
        self.client = None

    def step(self):
        """Sends what the window allows and takes what has come."""
        try:
            self.push()
            self.pull()
        except (Closed, OSError):
            self.hang_up()

    def push(self):
        frames = []
        while self.sent < self.count and self.sent < self.acked + min(self.window, WINDOW):
            self.sent += 1
            flags = RECEIPT if self.sent % 100 == 0 else 0
            frames.append(encode("message", self.sent, flags, b"n (%d)" % self.sent, to=self.to))
        if frames:
            self.client.socket.settimeout(10)
            self.client.send_frames(frames)

    def pull(self):
        top = 0
        while True:
            try:
                frame = self.client.next(0.001)
            except (TimeoutError, BlockingIOError):
                break
            if frame.verb == "ack":
                self.acked = max(self.acked, frame.number)
            elif frame.number != 0:
                if frame.number <= self.received:
                    top = max(top, frame.number)
                    continue
                assert frame.number == self.received + 1, (frame, self.received)
                self.received = top = frame.number
                if frame.verb == "message":
                    self.got.append(int(frame.body[3:-1]))
                elif frame.verb == "receipt":
                    self.receipts.append((frame.about, frame.fields.get("code")))
                else:
                    raise AssertionError(frame)
            elif frame.verb == "error":
                raise Closed()
        if top:
            self.client.send("ack", self.received)

    def done(self):
        return self.acked == self.count and len(self.got) == self.count and len(self.receipts) == self.count // 100


class Durable(unittest.TestCase):
    def setUp(self):
        self.folder = scratch()
        self.addCleanup(self.folder.cleanup)
        state = os.path.join(self.folder.name, "state")
        self.daemon = Daemon(MBUSD, self.folder.name, f'[state]\ndirectory = "{state}"\n[limits]\nexpiry_seconds = 3600\n')
        self.daemon.start()
        self.addCleanup(self.daemon.__exit__)

    def kill(self):
        self.daemon.stop(signal.SIGKILL)
        self.daemon.start()

    def durable(self, **fields):
        client = self.daemon.client(**({"window": WINDOW, "expiry": 600, "durable": 1} | fields))
        self.addCleanup(client.close)
        return client

    def test_a_session_comes_back_after_kill_9_with_its_entity_and_what_waits(self):
        client = self.durable()
        self.assertEqual(client.connected.durable, 1)
        entity = client.attach("(app:kept)")
        sender = self.daemon.client()
        sender.attach("(app:sender)")
        client.close()
        sender.send("message", 1, RELIABLE, b"a.b (1)", to=entity)
        self.assertNotIn("code", sender.expect("receipt").fields)
        self.kill()
        other = self.daemon.client()
        other.attach("(app:sender)")
        other.send("message", 1, RELIABLE, b"a.b (2)", to=entity)
        receipt = other.expect("receipt")
        self.assertEqual(receipt.entity, entity)
        back = self.durable(session=client.connected.session, received=0)
        self.assertEqual(back.connected.resumed, 1)
        self.assertEqual(back.expect("message").body, b"a.b (1)")
        self.assertEqual(back.expect("message").body, b"a.b (2)")

    def test_an_orderly_restart_keeps_the_session_too(self):
        client = self.durable()
        client.attach("(app:kept)")
        self.assertEqual(self.daemon.stop(), 0)
        self.daemon.start()
        back = self.durable(session=client.connected.session, received=0)
        self.assertEqual(back.connected.resumed, 1)
        back.send("attach", request=1, entity="(app:kept)")
        self.assertEqual(back.expect("ok").request, 1)

    def test_a_closed_session_is_gone_after_a_restart(self):
        client = self.durable()
        client.send("close")
        client.expect("close")
        time.sleep(0.2)
        self.kill()
        self.assertEqual(self.durable(session=client.connected.session, received=0).connected.resumed, 0)

    def test_without_a_window_nothing_is_durable(self):
        self.assertEqual(self.daemon.client(durable=1).connected.durable, 0)

    def test_numbered_messages_arrive_exactly_once_and_in_order_however_often_the_daemon_is_killed(self):
        self.exchange(Peer(self.daemon.socket, "(app:left)", "(app:right)", MESSAGES),
                      Peer(self.daemon.socket, "(app:right)", "(app:left)", MESSAGES))

    def exchange(self, left, right):
        random.seed(SEED)
        print(f"seed {SEED}", file=sys.stderr)
        for peer in (left, right):
            self.assertTrue(peer.dial())
        began = time.monotonic()
        kills = [left.count * i // 6 + random.randrange(left.count // 8) for i in range(1, 5)]
        while not (left.done() and right.done()):
            self.assertLess(time.monotonic() - began, 300, f"{len(left.got)} and {len(right.got)} messages")
            if kills and len(right.got) > kills[0]:
                kills.pop(0)
                self.kill()
            for peer in (left, right):
                if peer.client is None and not peer.dial():
                    time.sleep(0.01)
                    continue
                if random.random() < 0.001:
                    peer.hang_up()
                else:
                    peer.step()
        took = time.monotonic() - began
        for peer in (left, right):
            self.assertEqual(list(range(1, peer.count + 1)), peer.got)
            self.assertEqual(list(range(100, peer.count + 1, 100)), sorted(about for about, _ in peer.receipts))
            if peer.client is not None:
                peer.client.close()
        print(f"{2 * left.count} messages in {took:.1f} s, resumed {left.resumes} and {right.resumes} times", file=sys.stderr)


class WebSocketClient:
    """A Client over WebSocket, with a token."""

    def __init__(self, port, token):
        self.link = Socket(port, Authorization=f"Bearer {token}")
        self.socket = self.link.socket

    def send(self, verb, number=0, flags=0, body=b"", **fields):
        self.send_frames([encode(verb, number, flags, body, **fields)])

    def send_frames(self, frames):
        self.link.raw(b"".join(ws_frame(BINARY, each) for each in frames))

    def next(self, timeout=10):
        while True:
            opcode, _, payload = self.link.next(timeout)
            if opcode == CLOSE:
                raise Closed()
            if opcode == BINARY:
                return Frame(payload)

    def expect(self, verb, timeout=10):
        found = self.next(timeout)
        assert found.verb == verb, f"{verb} expected, {found} came"
        return found

    def close(self):
        self.socket.close()


class OverWebSocket(unittest.TestCase):
    kill, exchange = Durable.kill, Durable.exchange

    def setUp(self):
        self.folder = scratch()
        self.addCleanup(self.folder.cleanup)
        folder = self.folder.name
        self.daemon = Daemon(MBUSD, folder, f'[state]\ndirectory = "{folder}/state"\n'
                                            f'[gateway]\nenabled = true\nlisten = ["127.0.0.1:{PORT}"]\n')
        self.daemon.start()
        self.addCleanup(self.daemon.__exit__)

    def token(self, *rights):
        environment = dict(os.environ, MBUS_SOCKET=self.daemon.socket, MBUS=self.daemon.key, HOME=self.folder.name)
        tool = os.path.join(os.path.dirname(MBUSD), "mbus")
        return subprocess.run([tool, "client", "add", "peer", *rights], text=True, capture_output=True, check=True, timeout=60,
                              env=environment).stdout.strip()

    def test_a_session_over_websocket_that_is_cut_goes_on_exactly_over_kills(self):
        token = self.token("--durable")
        self.exchange(*(Peer(PORT, mine, other, MESSAGES // 4, lambda port: WebSocketClient(port, token))
                        for mine, other in (("(app:left)", "(app:right)"), ("(app:right)", "(app:left)"))))

    def test_a_monitor_of_a_durable_session_goes_on_after_a_restart_with_the_rights_of_its_token(self):
        token = self.token("--durable", "--monitor")
        watcher = WebSocketClient(PORT, token)
        watcher.send("connect", version=1, window=64, expiry=600, durable=1)
        connected = watcher.expect("connected")
        watcher.send("attach", request=1, mode="monitor", entity="(app:seen)")
        watcher.expect("ok")
        watcher.close()
        self.kill()
        sender = self.daemon.client()
        sender.attach("(app:sender)")
        sender.send("message", 1, RECEIPT, b"a.b (1)", to="(app:seen)")
        sender.expect("receipt")
        sender.close()
        back = WebSocketClient(PORT, token)
        self.addCleanup(back.close)
        back.send("connect", version=1, window=64, expiry=600, durable=1, session=connected.session, received=0)
        self.assertEqual(back.expect("connected").resumed, 1)
        while True:
            copy = back.expect("message")
            self.assertEqual(copy.mode, "monitor")
            if copy.body == b"a.b (1)":
                return

    def test_the_session_of_a_token_that_was_withdrawn_does_not_come_back(self):
        token = self.token("--durable")
        gone = WebSocketClient(PORT, token)
        gone.send("connect", version=1, window=64, expiry=600, durable=1)
        session = gone.expect("connected").session
        gone.close()
        token = self.token("--durable", "--replace")
        self.kill()
        back = WebSocketClient(PORT, token)
        self.addCleanup(back.close)
        back.send("connect", version=1, window=64, expiry=600, durable=1, session=session, received=0)
        self.assertEqual(back.expect("connected").resumed, 0)


class Queues(Durable):
    test_numbered_messages_arrive_exactly_once_and_in_order_however_often_the_daemon_is_killed = None
    test_a_session_comes_back_after_kill_9_with_its_entity_and_what_waits = None
    test_an_orderly_restart_keeps_the_session_too = None
    test_a_closed_session_is_gone_after_a_restart = None
    test_without_a_window_nothing_is_durable = None

    def reader(self, window=WINDOW, **fields):
        client = self.daemon.client(window=window, expiry=0)
        self.addCleanup(client.close)
        client.send("attach", request=1, mode="queue", queue="jobs", **fields)
        return client

    def fill(self, count, first=1):
        sender = self.daemon.client(window=WINDOW, expiry=60)
        sender.attach("(app:sender)")
        sent = acked = 0
        while acked < count:
            while sent < count and sent < acked + WINDOW:
                sent += 1
                sender.send("message", sent, body=b"job (%d)" % (first + sent - 1), to="(app:jobs)")
            frame = sender.next()
            if frame.verb == "ack":
                acked = frame.number
        sender.send("close")
        sender.expect("close")
        sender.close()

    def test_window_0_a_missing_queue_and_another_entity_are_refused(self):
        bare = self.daemon.client()
        bare.send("attach", request=1, mode="queue", queue="jobs", entity="(app:jobs)")
        self.assertEqual(bare.expect("nak").code, "window")
        self.assertEqual(self.reader().expect("nak").code, "not-found")
        self.assertIn("app:jobs", self.reader(entity="(app:jobs)").expect("ok").entity)
        self.assertIn("app:jobs", self.reader().expect("ok").entity)
        self.assertEqual(self.reader(entity="(app:other)").expect("nak").code, "conflict")

    def test_a_refused_job_goes_to_another_reader_first_and_after_five_tries_to_the_dead(self):
        reader = self.reader(window=1, entity="(app:jobs)")
        reader.expect("ok")
        self.fill(2)
        for tries in range(5):
            job = reader.expect("message")
            self.assertEqual(job.body, b"job (1)")
            self.assertEqual(bool(job.flags & REDELIVERED), tries > 0)
            reader.send("nak", tries + 1, about=job.number)
            self.assertEqual(reader.expect("ack").number, tries + 1)
            reader.send("ack", job.number)
        job = reader.expect("message")
        self.assertEqual(job.body, b"job (2)")
        dead = self.daemon.client(window=1, expiry=0)
        dead.send("attach", request=1, mode="queue", queue="jobs.dead")
        dead.expect("ok")
        self.assertEqual(dead.expect("message").body, b"job (1)")

    def test_a_job_waits_for_its_reader_over_a_restart_with_its_tries(self):
        reader = self.reader(entity="(app:jobs)")
        entity = reader.expect("ok").entity
        self.fill(3)
        self.assertEqual(reader.expect("message").flags & REDELIVERED, 0)
        self.kill()
        again = self.reader()
        self.assertEqual(again.expect("ok").entity, entity)
        for n in (1, 2, 3):
            job = again.expect("message")
            self.assertEqual(job.body, b"job (%d)" % n)
            self.assertTrue(job.flags & REDELIVERED)

    def test_three_readers_share_jobs_and_none_is_lost_when_one_and_the_daemon_are_killed(self):
        self.reader(entity="(app:jobs)").close()
        began = time.monotonic()
        pids, files = [], []
        for index in range(3):
            files.append(os.path.join(self.folder.name, f"reader-{index}"))
            pids.append(self.fork_reader(files[-1]))
        self.addCleanup(self.reap, pids)
        sent, killed_reader, killed_daemon = 0, False, False
        while sent < JOBS:
            self.fill(min(3000, JOBS - sent), first=sent + 1)
            sent += 3000
            if sent >= JOBS // 3 and not killed_reader:
                killed_reader = True
                os.kill(pids[0], signal.SIGKILL)
            if sent >= JOBS // 2 and not killed_daemon:
                killed_daemon = True
                self.kill()
        while True:
            seen = {}
            for name in files:
                if not os.path.exists(name):
                    continue
                with open(name) as file:
                    for line in file:
                        if not line.endswith("\n"):
                            continue
                        job, flagged = map(int, line.split())
                        seen.setdefault(job, []).append(flagged)
            if len(seen) == JOBS:
                break
            self.assertLess(time.monotonic() - began, 300, f"{len(seen)} of {JOBS} jobs")
            time.sleep(0.2)
        for job, flags in seen.items():
            self.assertLessEqual(flags.count(0), 1, f"job {job} came twice without the flag")
        twice = sum(len(flags) > 1 for flags in seen.values())
        print(f"{JOBS} jobs in {time.monotonic() - began:.1f} s, {twice} of them more than once", file=sys.stderr)

    def fork_reader(self, name):
        pid = os.fork()
        if pid != 0:
            return pid
        try:
            self.read_jobs(name)
        finally:
            os._exit(0)

    def read_jobs(self, name):
        """Writes each job down, then acknowledges it; connects again as often as needed."""
        with open(name, "w") as file:
            while True:
                try:
                    client = Client(self.daemon.socket, window=64, expiry=0)
                    client.send("attach", request=1, mode="queue", queue="jobs")
                    client.expect("ok")
                    while True:
                        frame = client.next(60)
                        if frame.verb == "error":
                            raise Closed()
                        file.write(f"{int(frame.body[5:-1])} {1 if frame.flags & REDELIVERED else 0}\n")
                        file.flush()
                        client.send("ack", frame.number)
                except (Closed, OSError):
                    time.sleep(0.05)

    @staticmethod
    def reap(pids):
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            os.waitpid(pid, 0)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    MBUSD = sys.argv.pop(1)
    if os.geteuid() != 0 or not private_network():
        print("needs root for a network namespace; skipped")
        sys.exit(77)
    unittest.main(verbosity=2, warnings="ignore")
