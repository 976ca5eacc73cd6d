// A Node client is cut off 200 times at random points (proxy.mjs) while 20 000 numbered messages flow each way:
// every message arrives exactly once and in order. MBUS_SEED repeats a run.
import assert from "node:assert/strict";
import test from "node:test";
import { client, Lab, port, sleep, until, WebSocket } from "./lab.mjs";
import { cuts, Proxy } from "./proxy.mjs";

const messages = Number(process.env.MBUS_CUT_MESSAGES ?? 20_000);
const cutsWanted = Number(process.env.MBUS_CUTS ?? 200);
const silence = 1000; // ms; so that stalled connections are noticed soon
const batch = 100; // messages between two looks at the clock
const { command, connect } = client;

// SplitMix32, enough for choosing when to cut.
function dice(seed) {
    return (end) => {
        seed = (seed + 0x9e3779b9) | 0;
        let mixed = Math.imul(seed ^ (seed >>> 16), 0x21f0aaad);
        mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
        return ((mixed ^ (mixed >>> 15)) >>> 0) % end;
    };
}

// Sends 0, 1, 2 ... as `name` to `to`, as fast as cuts allow.
async function sendAll(me, bus, to, name, progress) {
    for (let n = 0; n < messages; ++n) {
        while (bus.waiting > 2000) await sleep(1);
        me.send(to, command(name, n));
        if (n % batch === 0) await progress(n);
    }
    await bus.drained();
}

test("200 cuts: all messages exactly once and in order, both ways", async (t) => {
    const seed = Number(process.env.MBUS_SEED ?? Date.now() % 100_000);
    t.diagnostic(`seed ${seed}`);
    const roll = dice(seed);
    const lab = new Lab();
    let proxy;
    try {
        await lab.start();
        const token = await lab.token("cuts");
        proxy = await Proxy.start(port);
        const options = { token, WebSocket, expiry: 60 };
        const steady = await connect(`http://localhost:${port}`, { ...options, name: "steady" });
        const shaky = await connect(`http://localhost:${proxy.port}`, { ...options, name: "shaky", silence });
        const a = await steady.attach("(app:steady)");
        const b = await shaky.attach("(app:shaky)");
        const heard = { a: [], b: [] };
        a.listen((message) => void heard.a.push(message.commands[0].args[0]));
        b.listen((message) => void heard.b.push(message.commands[0].args[0]));
        const events = { resumed: 0, anew: 0, missed: 0 };
        shaky.on("state", ({ resumed }) => resumed !== undefined && ++events[resumed ? "resumed" : "anew"]);
        for (const bus of [steady, shaky]) bus.on("missed", (count) => (events.missed += count));

        let done = 0;
        let over = false;
        const cutting = (async () => {
            while (done < cutsWanted && !over) {
                if (shaky.state === "connected") done += proxy.cut(roll(12) ? "reset" : cuts[1 + roll(2)]);
                await sleep(20 + roll(150));
            }
        })();
        // Sending goes on as the cuts do, so that they hit it all along.
        const paced = async (n) => {
            while (done < (cutsWanted * n) / messages && n < messages - batch) await sleep(5);
        };
        await Promise.all([sendAll(a, steady, "(app:shaky)", "to.shaky", paced), sendAll(b, shaky, "(app:steady)", "to.steady", paced)]);
        over = done >= cutsWanted;
        await cutting;
        await until(() => heard.a.length >= messages && heard.b.length >= messages, () => `${heard.a.length} and ${heard.b.length} of ${messages}`);
        await sleep(200); // what would come twice
        t.diagnostic(`${done} cuts, ${JSON.stringify(events)}`);
        const all = Array.from({ length: messages }, (_, n) => n);
        assert.deepEqual(heard.a, all);
        assert.deepEqual(heard.b, all);
        assert.equal(events.anew, 0);
        assert.equal(events.missed, 0);
        assert.ok(done >= cutsWanted);
        await shaky.close();
        await steady.close();
    } finally {
        proxy?.close();
        await lab.close();
    }
});
