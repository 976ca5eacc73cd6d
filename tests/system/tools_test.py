#!/usr/bin/env python3
"""mbus-send, mbus-listen and mbus with a real mbusd: what they print and how they end.

    tools_test.py BIN_DIR [TEST...]

Runs in a network namespace of its own (needs root); without one it says so and exits 77 (skipped)."""

import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from mbws_raw import Daemon, private_network, scratch  # noqa: E402
from netlab import Running, wait_until  # noqa: E402

BIN = None
VERBS = "peers match ping call wait go quit key link client queue cap check top doctor config completion".split()


def start(words, environment, prefix=()):
    """A tool in the background."""
    return Running([os.path.join(BIN, words[0]), *words[1:]], environment, prefix)


class Tools(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = scratch()
        cls.daemon = Daemon(os.path.join(BIN, "mbusd"), cls.folder.name).start()
        cls.environment = dict(os.environ, MBUS_SOCKET=cls.daemon.socket, MBUS=cls.daemon.key, HOME=cls.folder.name, TZ="UTC")

    @classmethod
    def tearDownClass(cls):
        cls.daemon.__exit__()
        cls.folder.cleanup()

    def run_tool(self, *words, stdin=None, code=0, seconds=60, environment=None):
        done = subprocess.run([os.path.join(BIN, words[0]), *words[1:]], input=stdin, text=True, capture_output=True,
                              timeout=seconds, env=environment or self.environment,
                              **({} if stdin is not None else {"stdin": subprocess.DEVNULL}))
        self.assertEqual(done.returncode, code, f"{words}\nstdout: {done.stdout[-2000:]}\nstderr: {done.stderr[-2000:]}")
        return done

    def start(self, *words, there=None, environment=None, prefix=()):
        """Starts a tool; waits until `there` entities match, given as (pattern, number)."""
        running = start(words, environment or self.environment, prefix)
        self.addCleanup(running.stop)
        if there:
            pattern, number = there if isinstance(there, tuple) else (there, 1)
            self.assertTrue(wait_until(lambda: len(self.run_match(pattern)) >= number), running.errors)
        return running

    def run_match(self, pattern):
        done = subprocess.run([os.path.join(BIN, "mbus"), "match", "-q", pattern], text=True, capture_output=True,
                              env=self.environment, timeout=30)
        return done.stdout.split("\n")[:-1]

    def listen(self, address, *options):
        return self.start("mbus-listen", address, *options, there=address)

    # --- the promise of the product ----------------------------------------------------------

    def test_listener_and_sender_talk(self):
        listener = self.listen("(app:b)", "-j", "-n", "2")
        self.run_tool("mbus-send", "-r", "app:b", "demo.text", '"hi"', "1", "2.5", "sym")
        self.run_tool("mbus-send", "app:b", "demo.more", "(1 (2))", "<AAEC>")
        self.assertEqual(listener.end(), 0)
        first, second = [json.loads(line) for line in listener.lines]
        self.assertEqual((first["v"], first["type"], first["dst"]), (1, "R", {"app": "b"}))
        self.assertEqual(first["src"]["module"], "mbus-send")
        self.assertRegex(first["ts"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertEqual(list(first), ["v", "ts", "if", "seq", "type", "src", "dst", "cmds"])
        self.assertEqual(first["cmds"], [{"name": "demo.text", "args": ["hi", 1, 2.5, {"sym": "sym"}]}])
        self.assertEqual((first["if"], first["seq"]), (None, None))  # it never left this host
        self.assertEqual(second["type"], "U")
        self.assertEqual(second["cmds"], [{"name": "demo.more", "args": [[1, [2]], {"data": "AAEC"}]}])

    # --- exit status -------------------------------------------------------------------------

    def test_3_nobody_matched(self):
        for words in (["-r"], [], ["--each"]):
            done = self.run_tool("mbus-send", *words, "app:nobody", "a.b", code=3)
            self.assertIn("nobody matched (app:nobody)", done.stderr)
        self.run_tool("mbus", "match", "app:nobody", code=3)
        self.run_tool("mbus", "ping", "app:nobody", code=3)
        self.run_tool("mbus", "call", "app:nobody", "a.b", code=3)
        self.run_tool("mbus", "go", "app:nobody", "ready", code=3)
        self.run_tool("mbus", "quit", "app:nobody", code=3)

    def test_5_not_unique(self):
        self.start("mbus-listen", "app:twin n:a", "app:twin n:b", there=("app:twin", 2))
        self.run_tool("mbus-send", "-r", "app:twin", "a.b", code=5)
        self.run_tool("mbus-send", "app:twin", "a.b")
        self.run_tool("mbus-send", "-r", "app:twin", "n:a", "a.b")

    def test_6_refused(self):
        listener = self.listen("app:taken id:9-9@10.9.9.9")
        self.assertIsNone(listener.process.poll())
        self.run_tool("mbus-listen", "app:taken id:9-9@10.9.9.9", code=6)

    def test_7_too_large_or_invalid(self):
        self.listen("app:big")
        done = self.run_tool("mbus-send", "app:big", "a.b", '"' + "x" * 70000 + '"', code=7)
        self.assertIn("65507", done.stderr)
        self.run_tool("mbus-send", "-r", "app:big", "a.b", '"' + "x" * 70000 + '"', code=7)
        self.run_tool("mbus-send", "app:big", "not!a.command", code=7)
        self.run_tool("mbus-send", "app:", "a.b", code=7)
        done = self.run_tool("mbus-send", "app:big", "a.b", "hello world", code=7)
        self.assertIn("""'"hello world"'""", done.stderr)

    def test_8_no_daemon(self):
        for words in (["mbus-send", "()", "a.b"], ["mbus-listen"], ["mbus", "peers"], ["mbus", "ping", "()"]):
            done = self.run_tool(*words, "--socket", self.folder.name + "/none.sock", code=8)
            self.assertIn("start", done.stderr)
            self.assertNotIn("MBUS_SOCKET", done.stderr)
        nowhere = {name: value for name, value in self.environment.items() if name not in ("MBUS_SOCKET", "XDG_RUNTIME_DIR")}
        if not os.path.exists("/run/mbusd/mbusd.sock"):
            done = self.run_tool("mbus-send", "()", "a.b", environment=nowhere, code=8)
            self.assertIn("another one: --socket PATH or $MBUS_SOCKET", done.stderr)
        done = self.run_tool("mbus", "doctor", "--socket", self.folder.name + "/none.sock", code=1)
        self.assertIn("fix: sudo systemctl start mbusd", done.stdout)

    def test_124_time_limit(self):
        begin = time.monotonic()
        self.run_tool("mbus-listen", "-n", "1", "-W", "0.3", code=124)
        done = self.run_tool("mbus-send", "--wait-for", "2", "-W", "300ms", "app:never", "a.b", code=124)
        self.assertIn("0 of 2 entities", done.stderr)
        self.run_tool("mbus", "wait", "-W", "0.3", "never", code=124)
        self.listen("app:mute")
        self.run_tool("mbus", "call", "-W", "0.3", "app:mute", "a.b", code=124)
        self.assertLess(time.monotonic() - begin, 30)

    def test_130_and_143_signal(self):
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            listener = self.listen(f"app:sig{number}")
            listener.process.send_signal(number)
            self.assertEqual(listener.end(), code)
        waiting = self.start("mbus-send", "--wait-for", "1", "-W", "60", "-v", "app:later", "a.b")
        self.assertTrue(wait_until(lambda: any("mbus-send" in line for line in self.run_match("module:mbus-send"))))
        waiting.process.send_signal(signal.SIGINT)
        self.assertEqual(waiting.end(), 130)

    def test_2_usage(self):
        for words, hint in ((["mbus-send", "--reliabel", "()", "a.b"], "did you mean --reliable?"),
                            (["mbus-send", "-i", "1", "--rate", "1", "()", "a.b"], "contradict"),
                            (["mbus-send", "demo.text"], "ADDRESS is missing"),
                            (["mbus-send", "app:b"], "COMMAND is missing"),
                            (["mbus-send", "-W"], "needs TIME"),
                            (["mbus-listen", "-j", "-r"], "contradict"),
                            (["mbus-listen", "-F", "%q"], "%t %T"),
                            (["mbus", "pers"], "did you mean mbus peers?"),
                            (["mbus"], "mbus --help"),
                            (["mbus", "send", "app:b", "a.b"], "a program of its own: mbus-send"),
                            (["mbus", "help", "listen"], "a program of its own: mbus-listen"),
                            (["mbus", "client"], "mbus client ls [-j], or mbus client rm NAME"),
                            (["mbus", "key", "shw"], "did you mean mbus key show?"),
                            (["mbus", "quit", "()"], "--all"),
                            (["mbus", "completion", "fish"], "bash")):
            done = self.run_tool(*words, code=2)
            self.assertIn(hint, done.stderr)
            self.assertEqual(done.stdout, "")

    # --- help --------------------------------------------------------------------------------

    def test_help_goes_to_stdout_and_ends_with_examples(self):
        for words in (["mbus-send"], ["mbus-listen"], ["mbus"], *[["mbus", verb] for verb in VERBS]):
            done = self.run_tool(*words, "--help")
            self.assertEqual(done.stderr, "")
            self.assertEqual(len(re.findall(r"^  \S", done.stdout.split("\nExamples:\n")[1], re.M)), 5, words)
        for verb in VERBS:
            self.assertIn(f"\n  {verb} ", self.run_tool("mbus", "--help").stdout)
        for word in ("bench",):
            self.assertNotIn(f"\n  {word} ", self.run_tool("mbus", "--help").stdout)
        self.assertRegex(self.run_tool("mbus-send", "--version").stdout, r"^mbus-send \d+\.\d+\.\d+\n$")

    def test_completion_is_a_bash_script(self):
        script = self.run_tool("mbus", "completion", "bash").stdout
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)

    def test_the_manual_of_the_configuration_is_current(self):
        keys = subprocess.run([os.path.join(BIN, "mbusd"), "--dump-keys", "scdoc"], text=True, capture_output=True, check=True).stdout
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../packaging/man/")
        with open(source + "mbusd.toml.5.scd") as page:
            self.assertIn(keys.rstrip("\n"), page.read(), "paste the output of: mbusd --dump-keys scdoc")
        with open(source + "mbusd.8.scd") as page:
            manual = page.read()
        for option in re.findall(r"--([a-z-]+)", subprocess.run([BIN + "/mbusd", "--help"], text=True, capture_output=True).stdout):
            self.assertIn(f"--{option}*", manual)

    # --- mbus-send ---------------------------------------------------------------------------

    def test_json_outcomes(self):
        self.listen("app:json")
        done = json.loads(self.run_tool("mbus-send", "-j", "-r", "app:json", "a.b").stdout)
        self.assertEqual((done["v"], done["ok"], done["type"], done["tried"]), (1, True, "R", 1))
        self.assertEqual(done["entity"]["app"], "json")
        done = json.loads(self.run_tool("mbus-send", "-j", "app:json", "a.b").stdout)
        self.assertEqual((done["ok"], done["matched"]), (True, 1))
        done = json.loads(self.run_tool("mbus-send", "-j", "-r", "app:nobody", "a.b", code=3).stdout)
        self.assertEqual((done["ok"], done["code"]), (False, "no-match"))

    def test_quiet_and_verbose(self):
        self.listen("app:loud")
        self.assertEqual(self.run_tool("mbus-send", "-q", "app:nobody", "a.b", code=3).stderr, "")
        self.assertIn("acknowledged by (app:loud", self.run_tool("mbus-send", "-v", "-r", "app:loud", "a.b").stderr)
        self.assertEqual(self.run_tool("mbus-send", "app:loud", "a.b").stderr, "")

    def test_dry_run_needs_no_daemon(self):
        done = self.run_tool("mbus-send", "--dry-run", "--socket", "/none", "-r", "app:b", "media:x", "demo.text", '"hi"')
        self.assertRegex(done.stdout, r"^mbus/1\.0 1 \d{13} R \(module:mbus-send\) \(app:b media:x\) \(\)\ndemo\.text ?\(\"hi\"\)\n$")
        done = self.run_tool("mbus-send", "--dry-run", "-j", "--socket", "/none", "()", "a.b", "1.0")
        self.assertEqual(json.loads(done.stdout)["cmds"], [{"name": "a.b", "args": [1.0]}])
        self.assertIn("[1.0]", done.stdout)

    def test_count_and_rate(self):
        listener = self.listen("app:many", "-n", "1000", "-q", "--stats", "-F", "%A")
        self.run_tool("mbus-send", "-n", "990", "app:many", "a.b", "7")
        begin = time.monotonic()
        self.run_tool("mbus-send", "-n", "5", "-i", "100ms", "app:many", "a.b", "8")
        self.assertGreaterEqual(time.monotonic() - begin, 0.4)
        self.run_tool("mbus-send", "-r", "-n", "5", "--rate", "50", "app:many", "a.b", "9")
        self.assertEqual(listener.end(), 0)
        self.assertTrue(listener.lines == ["7"] * 990 + ["8"] * 5 + ["9"] * 5, listener.lines[-20:])

    def test_each_sends_a_reliable_copy_to_every_match(self):
        listener = self.start("mbus-listen", "app:each n:a", "app:each n:b", "-n", "2", "-F", "%y %d", there=("app:each", 2))
        self.run_tool("mbus-send", "--each", "app:each", "a.b")
        self.assertEqual(listener.end(), 0)
        self.assertEqual({line.split()[0] for line in listener.lines}, {"R"})
        self.assertEqual(len({line for line in listener.lines}), 2)

    def test_wait_for_waits_until_they_are_there(self):
        sender = self.start("mbus-send", "--wait-for", "1", "-W", "30", "app:late", "a.b", "1")
        listener = self.start("mbus-listen", "app:late", "-1", "-F", "%c")
        self.assertEqual(sender.end(), 0)
        self.assertEqual(listener.end(), 0)
        self.assertEqual(len(listener.lines), 1)

    def test_lines_of_stdin(self):
        listener = self.listen("app:lines", "-n", "3", "-F", "%n%a")
        done = self.run_tool("mbus-send", "-l", "app:lines", code=7,
                             stdin='one (1)\n\ntwo ("zwei" 2)\nwrong (\nthree ()\n')
        self.assertIn("line 4: ", done.stderr)
        self.assertEqual(listener.end(), 0)
        self.assertEqual(listener.lines, ["one(1)", 'two("zwei" 2)', "three()"])

    def test_what_was_recorded_can_be_sent_again(self):
        listener = self.listen("app:replay", "-j", "-n", "2")
        self.run_tool("mbus-send", "-r", "app:replay", "a.b", "9007199254740993", "1.0", "(sym)")
        self.run_tool("mbus-send", "app:replay", "c.d", '"x\\ny"')
        self.assertEqual(listener.end(), 0)
        record = self.folder.name + "/record"
        with open(record, "w") as file:
            file.write("\n".join(listener.lines) + "\n")
        again = self.listen("app:replay", "-j", "-n", "2")
        outcomes = [json.loads(line) for line in self.run_tool("mbus-send", "-j", "-f", record).stdout.splitlines()]
        self.assertEqual([(one["ok"], one["type"]) for one in outcomes], [(True, "R"), (True, "U")])
        self.assertEqual(again.end(), 0)
        self.assertEqual([json.loads(line)["cmds"] for line in again.lines], [json.loads(line)["cmds"] for line in listener.lines])

    def test_as_is_the_source(self):
        listener = self.listen("app:who", "-1", "-F", "%f")
        self.run_tool("mbus-send", "--as", "app:me site:here", "app:who", "a.b")
        self.assertEqual(listener.end(), 0)
        self.assertIn("app:me", listener.lines[0])
        self.assertIn("site:here", listener.lines[0])

    # --- mbus-listen -------------------------------------------------------------------------

    def test_plain_output_has_time_source_and_command(self):
        listener = self.listen("app:plain", "-n", "2")
        self.run_tool("mbus-send", "-r", "app:plain", "demo.text", '"hi"')
        self.run_tool("mbus-send", "app:plain", "demo.esc", '"\x1b[2J"')
        self.assertEqual(listener.end(), 0)
        self.assertRegex(listener.lines[0], r'^\d\d:\d\d:\d\d\.\d{3} \(id:\S+ module:mbus-send\) R demo\.text ?\("hi"\)$')
        self.assertNotIn("\x1b", listener.lines[1])
        self.assertIn("\\x1b[2J", listener.lines[1])

    def test_raw_output_is_the_payload(self):
        listener = self.listen("app:raw", "-1", "-r")
        self.run_tool("mbus-send", "app:raw", "demo.text", '"hi"', "1")
        self.assertEqual(listener.end(), 0)
        self.assertRegex("\n".join(listener.lines), r'^demo\.text ?\("hi" 1\)$')

    def test_filters(self):
        listener = self.listen("app:filter", "-c", "a.*,b.*", "-x", "a.no", "--from", "app:good", "-n", "2", "-F", "%n")
        for source, name in (("app:bad", "a.x"), ("app:good", "a.no"), ("app:good", "c.x"), ("app:good", "a.x"), ("app:good", "b.x")):
            self.run_tool("mbus-send", "--as", source, "app:filter", name)
        self.assertEqual(listener.end(), 0)
        self.assertEqual(listener.lines, ["a.x", "b.x"])

    def test_monitor_sees_what_goes_to_others(self):
        self.listen("app:other")
        monitor = self.start("mbus-listen", "-a", "-c", "secret.*", "-1", "-j", "-v")
        self.assertTrue(wait_until(lambda: monitor.errors))
        self.run_tool("mbus-send", "app:other", "secret.word", "1")
        self.assertEqual(monitor.end(), 0)
        self.assertEqual(json.loads(monitor.lines[0])["dst"], {"app": "other"})

    def test_peers_that_join_and_leave(self):
        watcher = self.start("mbus-listen", "-p", "app:guest", "-n", "2", "-j")
        time.sleep(0.5)
        self.run_tool("mbus-listen", "app:guest", "-W", "0.2", code=124)
        self.assertEqual(watcher.end(), 0)
        events = [json.loads(line) for line in watcher.lines]
        self.assertIn(events[0]["event"], ("joined", "present"))
        self.assertEqual((events[1]["event"], events[1]["peer"]["app"]), ("left", "guest"))

    def test_everyone_hears_what_goes_to_everyone(self):
        listener = self.start("mbus-listen", "-1", "-F", "%d", "-c", "hello.world", there="module:mbus-listen")
        self.run_tool("mbus-send", "--all", "hello.world")
        self.assertEqual(listener.end(), 0)
        self.assertEqual(listener.lines, ["()"])

    def test_exec_runs_a_command_for_each_message(self):
        target = self.folder.name + "/exec"
        command = f'read line; printf "%s %s %s\\n" "$MBUS_COMMAND" "$MBUS_ARGUMENTS" "$line" >> {target}'
        listener = self.listen("app:exec", "-n", "2", "--exec", command)
        self.run_tool("mbus-send", "-r", "app:exec", "do.it", '"$(touch /tmp/never)"')
        self.run_tool("mbus-send", "-r", "app:exec", "do.more")
        self.assertEqual(listener.end(), 0)
        with open(target) as file:
            lines = file.read().splitlines()
        self.assertTrue(lines[0].startswith('do.it ("$(touch /tmp/never)") {"v":1,'), lines)
        self.assertEqual(len(lines), 2)
        self.assertFalse(os.path.exists("/tmp/never"))

    def test_silence_is_answered_with_a_hint(self):
        listener = self.listen("app:silent")
        self.assertTrue(wait_until(lambda: any("mbus-send '(app:silent)'" in line for line in listener.errors), 10))
        self.assertEqual(listener.lines, [])

    def test_idle_ends_it(self):
        self.run_tool("mbus-listen", "--idle", "0.2")
        self.run_tool("mbus-listen", "--idle", "0.2", "-n", "1", code=124)

    def test_stats_and_no_loss(self):
        listener = self.listen("app:stats", "-n", "3", "--stats", "--no-loss", "-j")
        self.run_tool("mbus-send", "-n", "3", "app:stats", "a.b")
        self.assertEqual(listener.end(), 0)
        self.assertTrue(any("3 commands" in line and "0 missed" in line for line in listener.errors), listener.errors)

    def test_a_closed_pipe_ends_it_quietly(self):
        command = f"{BIN}/mbus-listen app:pipe -F %n | head -n 1"
        shell = subprocess.Popen(["sh", "-c", command], env=self.environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertTrue(wait_until(lambda: self.run_match("app:pipe")))
        # The second write fails, since `head` has gone after the first line.
        for _ in range(3):
            self.run_tool("mbus-send", "-q", "app:pipe", "a.b", code=0) if self.run_match("app:pipe") else None
            time.sleep(0.1)
        out, err = shell.communicate(timeout=30)
        self.assertEqual((out, err), ("a.b\n", ""))

    def test_output_that_cannot_be_written_is_a_failure(self):
        for redirect, reason in ((">/dev/full", "No space left on device"), (">&-", "Bad file descriptor")):
            for command in ("mbus-send -j -r module:mbusd mbus.ping", "mbus-send --dry-run app:x a.b", "mbus peers", "mbus --help", "mbus match '()'"):
                with self.subTest(command=command, redirect=redirect):
                    done = subprocess.run(["sh", "-c", f"{BIN}/{command} {redirect}"], env=self.environment, text=True,
                                          stderr=subprocess.PIPE, timeout=30)
                    self.assertEqual(done.returncode, 1)
                    self.assertIn(f"can't write to stdout: {reason}", done.stderr)

    # --- mbus --------------------------------------------------------------------------------

    def test_peers_and_match(self):
        self.listen("app:table media:x")
        table = self.run_tool("mbus", "peers").stdout.splitlines()
        self.assertRegex(table[0], r"^ADDRESS +STATE +AGE +WHERE$")
        self.assertTrue(any("app:mbusd" in line for line in table))
        rows = [json.loads(line) for line in self.run_tool("mbus", "peers", "-j", "app:table").stdout.splitlines()]
        self.assertEqual([(row["v"], row["entity"]["media"], row["state"]) for row in rows], [(1, "x", "local")])
        self.assertIn("media:x\n", self.run_tool("mbus", "peers", "--elements").stdout)
        match = json.loads(self.run_tool("mbus", "match", "-j", "app:table").stdout)
        self.assertEqual((match["matched"], match["entities"][0]["app"]), (1, "table"))

    def test_ping(self):
        self.listen("app:pong")
        lines = [json.loads(line) for line in self.run_tool("mbus", "ping", "-j", "-n", "2", "-i", "0.05", "app:pong").stdout.splitlines()]
        self.assertEqual([(line["ok"], line["tried"]) for line in lines], [(True, 1)] * 2)
        self.assertGreater(lines[0]["time"], 0)

    def test_call_asks_the_daemon(self):
        done = json.loads(self.run_tool("mbus", "call", "-j", "module:mbusd", "mbusd.status").stdout)
        self.assertEqual((done["ok"], done["status"]), (True, "OK"))
        self.assertEqual(dict(done["results"])["scope"], "HOSTLOCAL")
        self.assertIn('("scope" "HOSTLOCAL")', self.run_tool("mbus", "call", "module:mbusd", "mbusd.status").stdout)
        done = self.run_tool("mbus", "call", "-j", "module:mbusd", "mbusd.nonsense", code=1)
        self.assertEqual(json.loads(done.stdout)["ok"], False)

    def test_wait_and_go(self):
        waiter = self.start("mbus", "wait", "--as", "app:waiter", "ready", there="app:waiter")
        self.run_tool("mbus", "go", "app:waiter", "other")
        self.assertIsNone(waiter.process.poll())
        self.run_tool("mbus", "go", "-v", "app:waiter", "ready")
        self.assertEqual(waiter.end(), 0)

    def test_go_finds_who_waits_without_a_name(self):
        waiter = self.start("mbus", "wait", "ready", there="module:mbus-wait")
        self.run_tool("mbus", "go", "module:mbus-wait", "ready")
        self.assertEqual(waiter.end(), 0)

    def test_quit_reaches_each(self):
        listener = self.listen("app:quitter", "-1", "-F", "%y %n")
        done = self.run_tool("mbus", "quit", "app:quitter")
        self.assertIn("app:quitter", done.stdout)
        self.assertEqual(listener.end(), 0)
        self.assertEqual(listener.lines, ["R mbus.quit"])

    def test_config_show(self):
        self.assertIn("bus.compat = ", self.run_tool("mbus", "config", "show").stdout)
        self.assertIn("# default", self.run_tool("mbus", "config", "show", "--origin").stdout)
        rows = [json.loads(line) for line in self.run_tool("mbus", "config", "show", "-j").stdout.splitlines()]
        self.assertIn("bus.key_file", [row["key"] for row in rows])

    def test_doctor_passes_here(self):
        checks = [json.loads(line) for line in self.run_tool("mbus", "doctor", "-j").stdout.splitlines()]
        self.assertEqual([check["check"] for check in checks],
                         ["daemon", "rights", "key", "interfaces", "loopback", "ipv6", "other-key", "mtu", "clock"])
        self.assertNotIn("failed", [check["status"] for check in checks])
        self.assertTrue(all(check["fix"] for check in checks if check["status"] != "ok"))

    def test_key_new_show_export_import(self):
        home = self.folder.name + "/home"
        os.mkdir(home)
        environment = {name: value for name, value in self.environment.items() if name != "MBUS"} | {"HOME": home}
        run = lambda *words, **more: self.run_tool("mbus", "key", *words, environment=environment, **more)  # noqa: E731
        made = run("new")
        path = home + "/.mbus"
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        secrets = re.findall(r"=\([^,]+,([^)]+)\)", open(path).read())
        self.assertEqual(len(secrets), 2)
        run("new", code=6)
        shown = run("show")
        exported = run("export").stdout
        self.assertEqual(exported, open(path).read())
        run("import", "-o", home + "/copy", "-", stdin=exported)
        self.assertEqual(json.loads(run("show", "-j", home + "/copy").stdout)["fingerprint"],
                         json.loads(run("show", "-j").stdout)["fingerprint"])
        os.chmod(path, 0o644)
        refused = run("show", code=1)
        for text in (made.stdout + made.stderr, shown.stdout + shown.stderr, refused.stdout + refused.stderr):
            for secret in secrets:
                self.assertNotIn(secret, text)
        run("import", "-", stdin="[MBUS]\nnonsense\n", code=1)
        run("new", "--force", "--profile", "modern", "--scope", "LINKLOCAL")
        self.assertEqual(json.loads(run("show", "-j").stdout)["scope"], "LINKLOCAL")


class Restart(unittest.TestCase):
    def test_a_listener_outlives_its_daemon(self):
        with scratch() as folder, Daemon(os.path.join(BIN, "mbusd"), folder) as daemon:
            environment = dict(os.environ, MBUS_SOCKET=daemon.socket, MBUS=daemon.key)
            listener = start(["mbus-listen", "app:steady", "-1", "-F", "%n"], environment)
            self.addCleanup(listener.stop)
            match = lambda: subprocess.run([BIN + "/mbus", "match", "-q", "app:steady"], env=environment,  # noqa: E731
                                           capture_output=True).returncode == 0
            self.assertTrue(wait_until(match))
            daemon.process.kill()
            daemon.process.wait()
            self.assertTrue(wait_until(lambda: any("the daemon is gone" in line for line in listener.errors)))
            daemon.start()
            self.assertTrue(wait_until(match, 30), listener.errors)
            done = subprocess.run([BIN + "/mbus-send", "-r", "app:steady", "after.all"], env=environment, timeout=30)
            self.assertEqual(done.returncode, 0)
            self.assertEqual(listener.end(), 0)
            self.assertEqual(listener.lines, ["after.all"])

    def test_a_daemon_that_dies_ends_a_sender_with_8(self):
        with scratch() as folder, Daemon(os.path.join(BIN, "mbusd"), folder) as daemon:
            environment = dict(os.environ, MBUS_SOCKET=daemon.socket, MBUS=daemon.key)
            sender = start(["mbus-send", "-v", "--wait-for", "1", "-W", "60", "app:never", "a.b"], environment)
            self.addCleanup(sender.stop)
            self.assertTrue(wait_until(lambda: "mbus-send" in subprocess.run([BIN + "/mbus", "peers", "-q"], env=environment, text=True,
                                                                            capture_output=True).stdout))
            daemon.process.kill()
            daemon.process.wait()
            self.assertEqual(sender.end(), 8)


class TwoHosts(unittest.TestCase):
    """A second network namespace at the other end of a cable, with a daemon of its own."""

    def setUp(self):
        self.folder = scratch()
        self.addCleanup(self.folder.cleanup)
        self.holder = subprocess.Popen(["unshare", "-n", "sleep", "600"])
        self.addCleanup(self.stop_holder)
        self.prefix = ["nsenter", "-t", str(self.holder.pid), "-n"]
        own = os.readlink("/proc/self/ns/net")
        self.assertTrue(wait_until(lambda: os.readlink(f"/proc/{self.holder.pid}/ns/net") != own))
        self.near, self.far = f"tn{os.getpid()}", f"tf{os.getpid()}"
        for command in (f"ip link add {self.near} type veth peer name {self.far}", f"ip link set {self.far} netns {self.holder.pid}",
                        f"ip addr add 10.77.0.1/24 dev {self.near}", f"ip link set {self.near} up"):
            subprocess.run(command.split(), check=True)
        self.addCleanup(lambda: subprocess.run(["ip", "link", "del", self.near], stderr=subprocess.DEVNULL))
        for command in ("ip link set lo up", f"ip addr add 10.77.0.2/24 dev {self.far}", f"ip link set {self.far} up"):
            subprocess.run([*self.prefix, *command.split()], check=True)
        self.hosts = [self.daemon("a", []), self.daemon("b", self.prefix)]

    def stop_holder(self):
        self.holder.kill()
        self.holder.wait()

    def daemon(self, name, prefix):
        folder = os.path.join(self.folder.name, name)
        os.mkdir(folder)
        daemon = Daemon(os.path.join(BIN, "mbusd"), folder)
        with open(daemon.key, "w") as file:
            file.write(Daemon.KEY.replace("HOSTLOCAL", "LINKLOCAL"))
        command = daemon.command
        daemon.command = lambda *more: [*prefix, *command(*more)]
        daemon.start()
        self.addCleanup(daemon.__exit__)
        return daemon

    def run_at(self, host, *words):
        daemon = self.hosts[host]
        environment = dict(os.environ, MBUS_SOCKET=daemon.socket, MBUS=daemon.key)
        return subprocess.run([*(self.prefix if host else []), os.path.join(BIN, words[0]), *words[1:]], env=environment, text=True,
                              capture_output=True, timeout=60, stdin=subprocess.DEVNULL)

    def test_a_stopped_daemon_does_not_acknowledge(self):
        daemon = self.hosts[1]
        listener = start(["mbus-listen", "app:far"], dict(os.environ, MBUS_SOCKET=daemon.socket, MBUS=daemon.key), self.prefix)
        self.addCleanup(listener.stop)
        # At once after the start: mbus-send itself gives the other host a moment to show up.
        self.assertTrue(wait_until(lambda: self.run_at(0, "mbus", "match", "-q", "app:far").returncode == 0))
        done = self.run_at(0, "mbus-send", "-v", "-r", "app:far", "a.b")
        self.assertEqual(done.returncode, 0, done.stderr)
        os.kill(daemon.process.pid, signal.SIGSTOP)
        try:
            done = self.run_at(0, "mbus-send", "-j", "-r", "app:far", "a.b")
            self.assertEqual(done.returncode, 4, done.stderr)
            self.assertEqual(json.loads(done.stdout)["code"], "not-acknowledged")
            self.assertEqual(self.run_at(0, "mbus", "ping", "-n", "1", "app:far").returncode, 4)
        finally:
            os.kill(daemon.process.pid, signal.SIGCONT)

    def test_doctor_finds_another_key(self):
        self.hosts[1].__exit__()
        with open(self.hosts[1].key, "w") as file:
            file.write(Daemon.KEY.replace("HOSTLOCAL", "LINKLOCAL").replace("MTIz", "OTk5"))
        self.hosts[1].start()
        done = self.run_at(0, "mbus", "doctor", "-j")
        found = {check["check"]: check for check in map(json.loads, done.stdout.splitlines())}
        self.assertEqual(found["other-key"]["status"], "failed", done.stdout)
        self.assertIn("mbus key export", found["other-key"]["fix"])
        self.assertEqual(done.returncode, 1)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    BIN = os.path.abspath(sys.argv.pop(1))
    if os.geteuid() != 0 or not private_network():
        print("skipped: needs root for a network namespace")
        sys.exit(77)
    unittest.main(verbosity=2)
