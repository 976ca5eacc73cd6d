// A browser tab as a service: curl reaches it by a capability URL and gets its reply. And Chromium's own WebSocket
// speaks the text binding by docs/mbws.md alone. The modules come from the daemon, also into pages of other origins.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import http from "node:http";
import test, { after, before } from "node:test";
import { promisify } from "node:util";
import { chromium } from "playwright-core";
import { chromiumPath, Lab, port, until } from "./lab.mjs";

const base = `http://localhost:${port}/`;
let lab, browser, token, foreign;

// Status and body of a POST by curl.
async function curl(url, body) {
    const words = ["-sS", "-w", "\n%{http_code}", "-H", "Content-Type: application/json", "-H", "Prefer: wait=5", "-d", body, url];
    const { stdout } = await promisify(execFile)("curl", words);
    const [answer, status] = stdout.split(/\n(?=\d+$)/);
    return { status: Number(status), answer };
}

before(async () => {
    foreign = http.createServer((_, answer) => answer.writeHead(200, { "Content-Type": "text/html" }).end("<title>foreign</title>"));
    await new Promise((resolve) => foreign.listen(0, "127.0.0.1", resolve));
    lab = new Lab(`origins = ["http://localhost:${foreign.address().port}"]\n`);
    await lab.start();
    token = await lab.token("tab");
    browser = await chromium.launch({ executablePath: chromiumPath, args: ["--no-sandbox", "--disable-gpu"] });
});
after(async () => {
    await browser?.close();
    foreign.close();
    await lab.close();
});

test("curl reaches a tab by its capability URL and prints its reply; after revoke it is 404", async () => {
    const page = await browser.newPage();
    await page.goto(base);
    const url = await page.evaluate(async (token) => {
        const { connect } = await import("/mbus-client.js");
        const { handle } = await import("/mbus-client-handle.js");
        window.bus = await connect("/", { token, name: "tab" });
        const me = await window.bus.attach("(app:door)");
        handle(me, "door.*", ({ name, args }) => [`${name} ${args[0]}`, 42]);
        window.granted = await me.grant({ commands: "door.open", expiry: 60 });
        return window.granted.url;
    }, token);
    const { status, answer } = await curl(url, '{"command":"door.open","args":["front"]}');
    assert.equal(status, 200, answer);
    const said = JSON.parse(answer);
    assert.equal(said.result, "replied");
    assert.deepEqual(said.results, ["door.open front", 42]);
    assert.equal((await curl(url, '{"command":"door.shut","args":[]}')).status, 403);
    await page.evaluate(() => window.bus.revoke(window.granted.url));
    assert.equal((await curl(url, '{"command":"door.open","args":["front"]}')).status, 404);
    await page.close();
});

test("Chromium's WebSocket speaks the text binding without any client (docs/mbws.md s2.2)", async () => {
    const listener = await lab.listen("(app:player)");
    const page = await browser.newPage();
    await page.goto(base);
    const heard = await page.evaluate(async (token) => {
        const socket = new WebSocket(`${location.origin.replace("http", "ws")}/mbws`, "mbws");
        const heard = [];
        socket.onmessage = ({ data }) => heard.push(data);
        const seen = async (what) => {
            while (!heard.some((each) => each.startsWith(what))) await new Promise((resolve) => setTimeout(resolve, 5));
        };
        await new Promise((resolve) => (socket.onopen = resolve));
        socket.send(`connect\nversion: 1\nwindow: 16\nauth: ${token}\n`);
        await seen("connected");
        socket.send("attach\nrequest: 1\nentity: (app:plain)\n");
        await seen("ok");
        socket.send('message 1\nto: (app:player)\nreliable: yes\n\nplayer.play("song.mp3" 3)');
        await seen("receipt");
        socket.close(1000);
        return heard;
    }, token);
    assert.ok(heard.every((each) => typeof each === "string"));
    await until(() => listener.out.includes('player.play("song.mp3" 3)'), () => listener.out);
    await page.close();
});

test("a page of a configured origin imports the module from the daemon, and takes part", async () => {
    const page = await browser.newPage();
    await page.goto(`http://localhost:${foreign.address().port}/`);
    const state = await page.evaluate(async ([base, token]) => {
        const { connect } = await import(`${base}mbus-client.js`);
        const bus = await connect(base, { token });
        const { state } = bus;
        await bus.close();
        return state;
    }, [base, token]);
    assert.equal(state, "connected");
    const first = await fetch(`${base}mbus-client.js`);
    assert.match(first.headers.get("Content-Type"), /^text\/javascript/);
    const again = await fetch(`${base}mbus-client.js`, { headers: { "If-None-Match": first.headers.get("ETag") } });
    assert.equal(again.status, 304);
    await page.close();
});
