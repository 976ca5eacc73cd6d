// A client, in Node and in Chromium, is cut off 200 times at random points (proxy.mjs) while 20 000 numbered messages flow each way:
// every message arrives exactly once and in order. Then the daemon is killed with SIGKILL again and again meanwhile, and the
// sessions are durable. MBUS_SEED repeats a run.
import assert from "node:assert/strict";
import test from "node:test";
import { chromium } from "playwright-core";
import { chromiumPath, client, Lab, port, sleep, until, WebSocket } from "./lab.mjs";
import { cuts, Proxy } from "./proxy.mjs";

const messages = Number(process.env.MBUS_CUT_MESSAGES ?? 20_000);
const cutsWanted = Number(process.env.MBUS_CUTS ?? 200);
const killsWanted = Number(process.env.MBUS_KILLS ?? 8);
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

// What the shaky side does, in this process or in a page: it gets all it needs, and calls `paced` as it goes on.
async function shakySide({ url, options, messages, batch }, { connect, command }, paced) {
    const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    const events = { resumed: 0, anew: 0, missed: 0 };
    const heard = [];
    const bus = await connect(url, options);
    bus.on("state", ({ resumed }) => resumed !== undefined && ++events[resumed ? "resumed" : "anew"]);
    bus.on("missed", (count) => (events.missed += count));
    const me = await bus.attach("(app:shaky)");
    me.listen((message) => void heard.push(message.commands[0].args[0]));
    const sending = async () => {
        for (let n = 0; n < messages; ++n) {
            while (bus.waiting > 2000) await sleep(1);
            me.send("(app:steady)", command("to.steady", n));
            if (n % batch === 0) await paced(n);
        }
        await bus.drained();
        while (heard.length < messages) await sleep(20);
        await sleep(200); // what would come twice
        await bus.close();
        return { heard, events };
    };
    return { bus, sending };
}

// In Chromium, from a page of the daemon that came through the proxy.
async function inBrowser(browser, proxy, what, paced) {
    const page = await browser.newPage();
    await page.exposeFunction("paced", paced);
    await page.goto(`http://localhost:${proxy.port}/`);
    await page.evaluate(`void (window.shakySide = ${shakySide})`);
    await page.evaluate(async (given) => {
        window.side = await window.shakySide(given, await import("/mbus-client.js"), window.paced);
    }, what);
    return {
        connected: () => page.evaluate(() => window.side.bus.state === "connected"),
        sending: () => page.evaluate(() => window.side.sending()),
    };
}

async function inNode(what, paced) {
    const side = await shakySide({ ...what, options: { ...what.options, WebSocket } }, client, paced);
    return { connected: () => side.bus.state === "connected", sending: side.sending };
}

// `kills`: how often the daemon dies as well.
async function cutOff(t, browser, kills = 0) {
    const seed = Number(process.env.MBUS_SEED ?? Date.now() % 100_000);
    t.diagnostic(`seed ${seed}`);
    const roll = dice(seed);
    const lab = new Lab();
    let proxy;
    let over = false;
    try {
        await lab.start();
        const durable = kills > 0;
        const token = await lab.token("cuts", ...(durable ? ["--durable"] : []));
        proxy = await Proxy.start(port);
        const steady = await connect(`http://localhost:${port}`, { token, WebSocket, name: "steady", silence, durable });
        let steadyAnew = 0;
        steady.on("state", ({ resumed }) => resumed === false && ++steadyAnew);
        const a = await steady.attach("(app:steady)");
        const heard = [];
        a.listen((message) => void heard.push(message.commands[0].args[0]));

        let done = 0;
        let killed = 0;
        // Sending goes on as the cuts do, so that they hit it all along.
        const paced = async (n) => {
            while (!over && done < (cutsWanted * (n + batch)) / messages) await sleep(5);
        };
        const options = { token, name: "shaky", silence, expiry: 60, durable };
        const what = { url: `http://localhost:${proxy.port}`, options, messages, batch };
        const shaky = await (browser ? inBrowser(browser, proxy, what, paced) : inNode(what, paced));
        const cutting = (async () => {
            while (done < cutsWanted && !over) {
                if (await shaky.connected()) done += Math.min(1, proxy.cut(roll(12) ? "reset" : cuts[1 + roll(2)]));
                await sleep(20 + roll(150));
                if (killed * cutsWanted >= done * kills) continue;
                ++killed;
                await lab.kill();
                await sleep(roll(300));
                await lab.start();
            }
        })();
        const [, shakyEnd] = await Promise.all([sendAll(a, steady, "(app:shaky)", "to.shaky", paced), shaky.sending()]);
        over = true;
        await cutting;
        await until(() => heard.length >= messages, () => `${heard.length} of ${messages}`);
        t.diagnostic(`${done} cuts, ${killed} kills, ${JSON.stringify(shakyEnd.events)}`);
        const all = Array.from({ length: messages }, (_, n) => n);
        assert.deepEqual(heard, all);
        assert.deepEqual(shakyEnd.heard, all);
        assert.equal(shakyEnd.events.anew, 0);
        assert.equal(steadyAnew, 0);
        assert.equal(shakyEnd.events.missed, 0);
        assert.ok(done >= cutsWanted);
        assert.ok(killed >= kills);
        await steady.close();
    } finally {
        over = true;
        proxy?.close();
        await lab.close();
    }
}

async function cutOffBrowser(t, kills) {
    const browser = await chromium.launch({ executablePath: chromiumPath, args: ["--no-sandbox", "--disable-gpu"] });
    try {
        await cutOff(t, browser, kills);
    } finally {
        await browser.close();
    }
}

test("Node, 200 cuts: all messages exactly once and in order, both ways", (t) => cutOff(t));
test("Chromium, 200 cuts: all messages exactly once and in order, both ways", (t) => cutOffBrowser(t));
test("Node, the daemon is killed as well: likewise", (t) => cutOff(t, undefined, killsWanted));
test("Chromium, the daemon is killed as well: likewise", (t) => cutOffBrowser(t, killsWanted));
