// The client as programs use it, against a daemon in memory (fake_daemon.mjs); the minified module.
import assert from "node:assert/strict";
import test from "node:test";
import { FakeDaemon } from "./fake_daemon.mjs";
import { built, Dice, sleep, until } from "./support.mjs";

const { command, connect, float, MbusError, open, symbol } = await built("mbus-client.js");
const { handle } = await built("mbus-client-handle.js");
const { fromUtf8, parseCommands } = await built("internals.js");

const url = "http://daemon.test/";

async function attached(options = {}, daemon = new FakeDaemon()) {
    const bus = await connect(url, { WebSocket: daemon.WebSocket, name: "test", ...options });
    const me = await bus.attach("app:me");
    return { daemon, bus, me };
}

test("connects with subprotocol, token and name, and knows its entity's address", async () => {
    const { daemon, bus, me } = await attached({ token: "secret", expiry: 30 });
    assert.equal(daemon.socket.url, "ws://daemon.test/mbws");
    assert.deepEqual(daemon.socket.protocols, ["mbws"]);
    const { fields } = daemon.named("connect")[0];
    assert.deepEqual(fields, { version: 1, window: 256, expiry: 30, auth: "secret", name: "test", size: 1048576 });
    assert.equal(me.address, "(app:me id:1-2@10.0.0.1)");
    assert.equal(bus.state, "connected");
    assert.equal(bus.broker, "00112233445566ff");
    await bus.close();
    assert.equal(bus.state, "closed");
});

test("a reliable message is settled by its receipt, a refused one by its nak", async () => {
    const { daemon, bus, me } = await attached();
    assert.deepEqual(await me.sendReliably("app:x", command("a.b", 1, float(2), symbol("on"))), {
        matched: 1, entity: "(app:x)", tried: 1, took: 2,
    });
    assert.deepEqual(daemon.taken, ["a.b(1 2.0 on)\r\n"]);
    daemon.auto = false;
    const refused = me.sendReliably("app:x", "a.b()");
    await until(() => daemon.named("message").length === 2);
    daemon.deliver("nak", { about: 2, code: "forbidden", text: "no right" });
    await assert.rejects(refused, { code: "forbidden", message: "no right" });
    daemon.auto = true;
    await bus.close(50);
});

test("a message that is refused without an outcome wanted is told as event", async () => {
    const { daemon, bus, me } = await attached();
    const told = new Promise((resolve) => bus.on("refused", resolve));
    me.send("app:x", "a.b()");
    daemon.deliver("nak", { about: 1, code: "too-large", text: "of 70000 octets" });
    assert.equal((await told).code, "too-large");
    await bus.close();
});

test("bad addresses, commands and values are refused before they are sent", async () => {
    const { daemon, bus, me } = await attached();
    assert.throws(() => me.send("(app", "a.b()"), { code: "bad-address" });
    assert.throws(() => me.send("app:x", "a.b("), { code: "bad-command" });
    assert.throws(() => me.send("app:x", command("a.b", NaN)), { code: "bad-value" });
    assert.throws(() => me.send("app:x", command("a.b", 2 ** 60)), { code: "bad-value" });
    assert.equal(daemon.named("message").length, 0);
    await bus.close();
});

test("a listener's message is acknowledged when its promise is fulfilled", async () => {
    const { daemon, bus, me } = await attached({ window: 4 });
    let finish;
    const heard = [];
    me.listen((message) => {
        heard.push(message.commands[0].args[0]);
        return new Promise((resolve) => (finish = resolve));
    });
    daemon.message("a.b(1)");
    await until(() => heard.length === 1);
    await sleep(40);
    assert.equal(daemon.named("ack").length, 0);
    finish();
    await until(() => daemon.named("ack").length === 1);
    assert.equal(daemon.named("ack")[0].number, 1);
    await bus.close();
});

test("iterated messages come one at a time, acknowledged when the next is asked for", async () => {
    const { daemon, bus, me } = await attached({ window: 1 });
    for (const n of [1, 2, 3]) daemon.message(`a.b(${n})`);
    const seen = [];
    for await (const message of me.listen()) {
        assert.equal(daemon.outbox.length + seen.length, 3);
        seen.push(message.commands[0].args[0]);
        if (seen.length === 3) break;
        await sleep(5);
    }
    assert.deepEqual(seen, [1, 2, 3]);
    await until(() => daemon.outbox.length === 0);
    await bus.close();
});

test("a reader of a queue gives a job back when its listener fails", async () => {
    const { daemon, bus } = await attached();
    const jobs = await bus.attach("(app:jobs)", { mode: "queue", queue: "jobs" });
    assert.deepEqual(daemon.named("attach")[1].fields.queue, "jobs");
    bus.on("error", () => {});
    jobs.listen(async () => {
        throw new Error("out of\npaper");
    });
    daemon.message("print.job(1)", { entity: jobs.address });
    await until(() => daemon.named("nak").length === 1);
    assert.deepEqual(daemon.named("nak")[0].fields, { about: 1, code: "internal", text: "out of paper" });
    await until(() => daemon.named("ack").some(({ number }) => number === 1), "the ack after the nak was taken");
    await bus.close();
});

test("a request is answered in the form of the guidelines, on both sides", async () => {
    const { daemon, bus, me } = await attached();
    const reply = me.request("(module:adder)", command("add.all", 1, 2));
    await until(() => daemon.taken.length === 1);
    assert.equal(daemon.taken[0], 'add.all((("ID" "1") ("RPC-TYPE" "UNICAST")) (1 2))\r\n');
    daemon.message('add.all.return((("ID" "1") ("RPC-STATUS" "OK")) ((OK DONE "fine") (3)))', { from: "(module:adder id:7-7@h)" });
    assert.deepEqual(await reply, { from: "(module:adder id:7-7@h)", status: "OK", code: "DONE", text: "fine", results: [3] });

    handle(me, "ui.*", async ({ args }) => [args[0] * 2]);
    daemon.message('ui.twice((("ID" "9") ("RPC-TYPE" "UNICAST")) (21))');
    await until(() => daemon.taken.length === 2);
    assert.equal(daemon.taken[1], 'ui.twice.return((("ID" "9") ("RPC-STATUS" "OK")) ((OK OK "") (42)))\r\n');
    daemon.message('no.such((("ID" "10") ("RPC-TYPE" "UNICAST")) ())', { to: me.address });
    await until(() => daemon.taken.length === 3);
    assert.match(daemon.taken[2], /"RPC-STATUS" "UNKNOWN"\)\) \(\(FAILED not-found/);
    await bus.close();
});

test("a request fails with the callee's text, or when its time is over", async () => {
    const { daemon, bus, me } = await attached();
    const refused = me.request("app:x", command("a.b"));
    await until(() => daemon.taken.length === 1);
    daemon.message('a.b.return((("ID" "1") ("RPC-STATUS" "FAILED")) ((FAILED full "no room") ()))');
    await assert.rejects(refused, { code: "remote-failed", message: "(app:x id:1-1@h) answered FAILED: no room" });
    await assert.rejects(me.request("app:x", command("a.b"), { timeout: 20 }), { code: "timed-out" });
    await bus.close();
});

test("watched peers come and go, also over a new session", async () => {
    const { daemon, bus } = await attached();
    const told = [];
    const watching = bus.watch("()", ({ address, state }) => told.push(`${address} ${state}`));
    await until(() => daemon.named("watch").length === 1);
    const request = daemon.named("watch")[0].fields.request;
    const entity = (address, state) => daemon.write("entity", { request, entity: address, state });
    entity("(a:1)", "present");
    entity("(a:2)", "present");
    daemon.write("ok", { request, matched: 2 });
    const watch = await watching;
    assert.deepEqual([...watch.peers], ["(a:1)", "(a:2)"]);
    entity("(a:3)", "joined");
    entity("(a:1)", "left");
    await until(() => told.length === 4);
    daemon.forget();
    daemon.cut();
    await until(() => daemon.named("watch").length === 2);
    entity("(a:2)", "present");
    daemon.write("ok", { request, matched: 1 });
    await until(() => told.length === 5);
    assert.deepEqual(told, ["(a:1) present", "(a:2) present", "(a:3) joined", "(a:1) left", "(a:3) lost"]);
    await watch.stop();
    await bus.close();
});

test("grant and revoke", async () => {
    const { daemon, bus, me } = await attached();
    const granting = me.grant({ commands: "door.*", expiry: 60, uses: 1 });
    await until(() => daemon.named("grant").length === 1);
    const { request, ...fields } = daemon.named("grant")[0].fields;
    assert.deepEqual(fields, { entity: me.address, command: "door.*", expiry: 60, uses: 1 });
    daemon.write("ok", { request, url: "https://h/cap/x", expiry: 60, uses: 1 });
    assert.deepEqual(await granting, { url: "https://h/cap/x", expiry: 60, uses: 1 });
    const revoking = bus.revoke("https://h/cap/x");
    await until(() => daemon.named("revoke").length === 1);
    daemon.write("nak", { request: daemon.named("revoke")[0].fields.request, code: "not-found", text: "no such URL" });
    await assert.rejects(revoking, { code: "not-found" });
    await bus.close();
});

test("what the daemon dropped is told as missed", async () => {
    const { daemon, bus, me } = await attached();
    const told = [];
    bus.on("missed", (count) => told.push(count));
    const heard = [];
    me.listen((message) => void heard.push(message.text));
    daemon.message("a.b(1)", { missed: 5 });
    daemon.deliver("message", { to: "()", from: "(app:x)", code: "expired" });
    daemon.message("a.b(2)");
    await until(() => heard.length === 2);
    assert.deepEqual(told, [5, 1]);
    await bus.close();
});

test("a broken connection is resumed: nothing is lost, nothing comes twice", async () => {
    const { daemon, bus, me } = await attached();
    const states = [];
    bus.on("state", ({ state, resumed }) => states.push(resumed === undefined ? state : `${state} ${resumed}`));
    const heard = [];
    me.listen((message) => void heard.push(message.commands[0].args[0]));
    for (let n = 1; n <= 300; ++n) {
        me.send("app:x", command("n", n));
        daemon.message(`n(${n})`);
        if (n % 100 === 50) {
            daemon.cut();
            await until(() => bus.state === "connected");
        }
        if (n % 7 === 0) await sleep(1);
    }
    await bus.drained();
    await until(() => heard.length >= 300);
    const all = Array.from({ length: 300 }, (_, index) => index + 1);
    assert.deepEqual(heard, all);
    assert.deepEqual(daemon.taken.map((each) => parseCommands(each)[0].args[0]), all);
    assert.deepEqual(states, Array(3).fill(["connecting", "connected true"]).flat());
    await bus.close();
});

test("a half-open connection is given up after the silence, and resumed", async () => {
    const { daemon, bus, me } = await attached({ silence: 100 });
    daemon.cut(true);
    await me.sendReliably("app:x", "a.b(1)");
    assert.deepEqual(daemon.taken, ["a.b(1)"]);
    assert.equal(daemon.sockets.length, 2);
    await bus.close();
});

test("an attempt to connect that nobody answers is given up after the silence", async () => {
    const daemon = new FakeDaemon();
    daemon.stalled = true;
    const connecting = connect(url, { WebSocket: daemon.WebSocket, silence: 50 });
    await until(() => daemon.sockets.length === 2);
    daemon.stalled = false;
    await (await connecting).close();
});

test("an idle connection lives on its pings", async () => {
    const { daemon, bus } = await attached({ silence: 100 });
    await sleep(350);
    assert.ok(daemon.named("ping").length >= 2);
    assert.equal(daemon.sockets.length, 1);
    daemon.write("ping", {}, { body: new Uint8Array([1, 2]) });
    await until(() => daemon.named("pong").length === 1);
    assert.deepEqual([...daemon.named("pong")[0].body], [1, 2]);
    await bus.close();
});

test("a lost session is told with the messages whose fate is unknown; they are not sent again", async () => {
    const { daemon, bus, me } = await attached();
    daemon.auto = false;
    me.send("app:x", "lost(1)");
    const receipt = me.sendReliably("app:x", "lost(2)");
    await until(() => daemon.named("message").length === 2);
    daemon.forget();
    daemon.auto = true;
    const event = new Promise((resolve) => bus.on("state", (each) => each.state === "connected" && resolve(each)));
    daemon.cut();
    const { resumed, unacknowledged } = await event;
    assert.equal(resumed, false);
    assert.deepEqual(unacknowledged.map(({ to, body }) => [to, fromUtf8(body)]).sort(), [["(app:x)", "lost(1)"], ["(app:x)", "lost(2)"]]);
    await assert.rejects(receipt, { code: "disconnected" });
    me.send("app:x", "new(3)");
    await bus.drained();
    assert.deepEqual(daemon.taken, ["new(3)"]);
    assert.match(me.address, /id:1-4/); // attached again
    await bus.close();
});

test("messages wait for the entities' new addresses after a new session", async () => {
    const { daemon, bus, me } = await attached();
    const other = await bus.attach("app:other");
    daemon.forget();
    daemon.cut();
    me.send("app:x", "a(1)");
    other.send("app:x", "a(2)");
    await until(() => daemon.taken.length === 2);
    assert.deepEqual(daemon.named("message").map(({ fields }) => fields.from), [me.address, other.address]);
    await bus.close();
});

test("who was taken over or is not authorized does not come back", async () => {
    for (const code of ["taken-over", "unauthorized", "forbidden", "window"]) {
        const { daemon, bus } = await attached();
        const closed = new Promise((resolve) => bus.on("state", ({ state, reason }) => state === "closed" && resolve(reason)));
        daemon.write("error", { code, text: "because" });
        assert.equal((await closed).code, code);
        await sleep(150);
        assert.equal(daemon.sockets.length, 1, code);
    }
});

test("a close frame's reason counts like an error", async () => {
    const { daemon, bus } = await attached();
    const closed = new Promise((resolve) => bus.on("state", ({ state, reason }) => state === "closed" && resolve(reason)));
    daemon.socket.end(1008, "taken-over: another connection resumed");
    assert.deepEqual({ code: (await closed).code, text: (await closed).message }, { code: "taken-over", text: "another connection resumed" });
});

test("connect() rejects a bad token, a foreign server and an absent daemon", async () => {
    const strict = new FakeDaemon({ auto: false });
    strict.receive = () => strict.write("error", { code: "unauthorized", text: "make a token: mbus client add NAME" });
    await assert.rejects(connect(url, { WebSocket: strict.WebSocket }), { code: "unauthorized", message: /mbus client add/ });

    const foreign = new FakeDaemon();
    foreign.WebSocket.prototype.protocol = "";
    foreign.WebSocket = class extends foreign.WebSocket {
        protocol = "";
    };
    await assert.rejects(connect(url, { WebSocket: foreign.WebSocket }), { code: "bad-version" });

    const absent = new FakeDaemon();
    absent.reachable = false;
    await assert.rejects(connect(url, { WebSocket: absent.WebSocket, limit: 300 }), (failure) => failure instanceof MbusError && failure.code === "timed-out");
    assert.ok(absent.sockets.length >= 2, "it has tried again");
    const tries = absent.sockets.length;
    await sleep(400);
    assert.equal(absent.sockets.length, tries, "and stopped");
});

test("sending faster than the daemon takes ends in overflow, and goes on after drained()", async () => {
    const { daemon, bus, me } = await attached({ queueMessages: 10 });
    daemon.auto = false;
    for (let n = 0; n < 10; ++n) me.send("app:x", command("n", n));
    assert.throws(() => me.send("app:x", "n(10)"), { code: "overflow", message: /drained/ });
    daemon.auto = true;
    await until(() => daemon.named("message").length === 10);
    for (const frame of daemon.named("message")) daemon.onMessage(frame);
    await bus.drained();
    me.send("app:x", "n(10)");
    await bus.close();
    assert.equal(daemon.taken.length, 11);
});

test("close() waits for acknowledgements, then says close once; afterwards all fails clearly", async () => {
    const { daemon, bus, me } = await attached();
    for (let n = 0; n < 500; ++n) me.send("app:x", command("n", n));
    await bus.close();
    assert.equal(daemon.taken.length, 500);
    assert.equal(daemon.named("close").length, 1);
    assert.throws(() => me.send("app:x", "a()"), { code: "cancelled" });
    await assert.rejects(bus.attach("app:y"), { code: "cancelled" });
});

test("close() of a daemon that is silent ends after its limit; nothing is left to keep Node running", async () => {
    const { daemon, bus, me } = await attached();
    daemon.auto = false;
    const receipt = assert.rejects(me.sendReliably("app:x", "a()"), { code: "disconnected" });
    const iterating = (async () => {
        for await (const message of me.listen()) void message;
    })();
    await bus.close(50);
    await receipt;
    await iterating;
    const lazy = open(url, { WebSocket: daemon.WebSocket });
    await lazy.close(10);
});

test("what a listener throws is an event of the connection", async () => {
    const { daemon, bus, me } = await attached();
    const told = new Promise((resolve) => bus.on("error", resolve));
    me.listen(() => {
        throw new Error("mine");
    });
    daemon.message("a.b()");
    assert.equal((await told).message, "mine");
    await until(() => daemon.outbox.length === 0, "handled all the same");
    await bus.close();
});

test("exactly once in order both ways, cut at random points (seeded)", async (t) => {
    const seed = Number(process.env.MBUS_SEED ?? 7);
    t.diagnostic(`seed ${seed}`);
    const dice = new Dice(seed);
    const { daemon, bus, me } = await attached({ silence: 60, window: 16 });
    const heard = [];
    me.listen(async (message) => {
        if (dice.oneIn(20)) await sleep(dice.below(5));
        heard.push(message.commands[0].args[0]);
    });
    const all = Array.from({ length: 1500 }, (_, n) => n);
    for (const n of all) {
        me.send("app:x", command("n", n));
        if (daemon.outbox.length < 16) daemon.message(`n(${n})`);
        else await until(() => daemon.outbox.length < 16).then(() => daemon.message(`n(${n})`));
        if (dice.oneIn(60)) daemon.cut(dice.oneIn(5));
        if (dice.oneIn(10)) await sleep(dice.below(3));
    }
    await bus.drained();
    await until(() => heard.length >= all.length);
    assert.deepEqual(daemon.taken.map((each) => parseCommands(each)[0].args[0]), all);
    assert.deepEqual([...heard].sort((a, b) => a - b), all);
    await bus.close();
});
