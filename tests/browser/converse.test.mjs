// Converse, a chat client of others, with the real daemon: as it is, and with the plugin of examples/converse.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import test, { after, before } from "node:test";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { chromiumPath, Lab, patience, port, until } from "./lab.mjs";
import { Site } from "./site.mjs";

const domain = "bus.example";
const pictures = process.env.MBUS_SCREENSHOTS ?? "/tmp";
const modules = join(dirname(fileURLToPath(import.meta.url)), "node_modules");
const password = (user) => `secret of ${user}`;
let site, lab, browser, player;

// Converse with nothing of ours; `settings` are its own.
const plain = (settings) => `<!doctype html><meta charset="utf-8"><link rel="stylesheet" href="/converse/converse.min.css"><body>
<script type="module" src="/converse/converse.min.js"></script>
<script type="module">
    converse.plugins.add("peephole", { initialize() { window.peephole = this._converse; } });
    converse.initialize(${JSON.stringify({ whitelisted_plugins: ["peephole"], view_mode: "fullscreen", assets_path: "/converse/", loglevel: "error", ...settings })});
</script>`;

before(async () => {
    site = await Site.start({ "/": join(process.env.MBUS_EXAMPLES, "converse"), "/node_modules/": modules, "/converse/": join(modules, "converse.js/dist") });
    lab = new Lab(`origins = ["${site.origin}"]\nhosts = ["${domain}", "localhost"]\ntls_listen = ["127.0.0.1:443"]\n`);
    lab.configure(`tls_certificate = "${lab.folder}/certificate.pem"\ntls_key = "${lab.folder}/key.pem"\n[xmpp]\nenabled = true\ndomain = "${domain}"\n`);
    execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", `/CN=${domain}`,
        "-keyout", join(lab.folder, "key.pem"), "-out", join(lab.folder, "certificate.pem")], { stdio: "ignore" });
    await lab.start();
    for (const user of ["ann", "bob"]) await lab.account(user, password(user));
    player = await lab.listen("(app:player media:audio)");
    await lab.tool("mbus", "feed", "create", "news", "The news");
    browser = await chromium.launch({
        executablePath: chromiumPath,
        args: ["--no-sandbox", "--disable-gpu", "--ignore-certificate-errors", `--host-resolver-rules=MAP ${domain} 127.0.0.1`],
    });
    mkdirSync(pictures, { recursive: true });
});
after(async () => {
    await browser?.close();
    site?.close();
    await lab?.close();
});

// A page of a browser of its own, with what it said (frames) and what it complained about (faults).
async function open(address) {
    const page = await (await browser.newContext({ viewport: { width: 1100, height: 850 } })).newPage();
    page.setDefaultTimeout(patience);
    page.frames_out = [];
    page.faults = [];
    page.on("websocket", (socket) => {
        page.socket = socket.url();
        socket.on("framesent", ({ payload }) => page.frames_out.push(payload));
    });
    page.on("pageerror", (failure) => page.faults.push(String(failure)));
    // There is no network here, and Converse shows the logos of its sponsors.
    page.on("console", (line) => line.type() === "error" && !line.text().includes("ERR_INTERNET_DISCONNECTED") && page.faults.push(line.text()));
    await page.goto(address);
    return page;
}

async function login(page, jid, secret) {
    await page.locator("input[name=jid]").fill(jid);
    await page.locator("input[name=password]").fill(secret);
    await page.locator("#converse-login input[type=submit], #converse-login button[type=submit]").first().click();
}

async function plainLogin(user) {
    const page = await open(site.page("/plain.html", plain({ websocket_url: `ws://localhost:${port}/xmpp`, discover_connection_methods: false })));
    await login(page, `${user}@${domain}`, password(user));
    await until(() => page.frames_out.some((each) => each.startsWith("<presence")), () => `the presence of ${user}`);
    return page;
}

test("Converse logs in by SCRAM and browses to the entities of the bus", async () => {
    const page = await plainLogin("ann");
    assert.ok(page.frames_out.some((each) => each.includes('mechanism="SCRAM-SHA-256"')));
    await page.locator(".show-client-info").first().click();
    await page.locator("#server-tab").click();
    await page.locator("converse-disco-browser input[name=entity_jid]").fill(`bus.${domain}`);
    await page.locator("converse-disco-browser button[type=submit]").click();
    await page.locator(".disco-items li", { hasText: "(app:player" }).waitFor();
    await page.locator(".disco-items li", { hasText: "user:ann" }).waitFor();
    await page.screenshot({ path: join(pictures, "converse-services.png") });
    const raw = await page.evaluate(async (host) => (await window.peephole.api.disco.items(host)).outerHTML, `bus.${domain}`);
    assert.match(raw, /app:player/);
    assert.deepEqual(page.faults, []);
    await page.context().close();
});

test("two Converse talk", async () => {
    const ann = await plainLogin("ann");
    const bob = await plainLogin("bob");
    await ann.evaluate(async (to) => void (await (await window.peephole.api.chats.open(to, {}, true)).sendMessage({ body: "hello bob" })), `bob@${domain}`);
    await bob.waitForFunction((from) => window.peephole.state.chatboxes.get(from), `ann@${domain}`);
    await bob.evaluate(async (from) => void (await window.peephole.api.chats.open(from, {}, true)), `ann@${domain}`);
    await bob.locator(".chat-msg__text", { hasText: "hello bob" }).waitFor();
    assert.deepEqual([ann.faults, bob.faults], [[], []]);
    await ann.context().close();
    await bob.context().close();
});

test("an entry of a feed is an announcement, and so is a message of the bus", async () => {
    const page = await plainLogin("ann");
    await page.evaluate((host) => window.peephole.api.pubsub.subscribe(host, "news"), `pubsub.${domain}`);
    await lab.toolWith("A long text", "mbus", "feed", "post", "news", "--title", "Rain & wind");
    await page.locator(".open-headline", { hasText: `pubsub.${domain}` }).click();
    await page.locator(".chat-msg__text", { hasText: "Rain & wind" }).waitFor();
    await page.locator(".chat-msg__subject", { hasText: "news" }).waitFor();
    await page.screenshot({ path: join(pictures, "converse-announcement.png") });
    await lab.tool("mbus-send", "(app:xmpp user:ann)", "state.now", "on", "2.5");
    await page.locator(".open-headline", { hasText: `bus.${domain}` }).last().click();
    await page.locator(".chat-msg__text", { hasText: "state.now(on 2.5)" }).waitFor();
    assert.deepEqual(page.faults, []);
    await page.context().close();
});

test("with nothing but an address Converse finds the WebSocket by host-meta (XEP-0156) [xmpp 97]", async () => {
    const page = await open(site.page("/discovery.html", plain({})));
    await login(page, `bob@${domain}`, password("bob"));
    await page.waitForFunction(() => window.peephole?.api.connection.connected());
    assert.equal(page.socket, `wss://${domain}/xmpp`);
    assert.deepEqual(page.faults, []);
    await page.context().close();
});

test("the plugin of examples/converse sends commands, and shows what came of them and what comes", async () => {
    const page = await open(`${site.origin}/index.html?domain=${domain}&websocket=ws://localhost:${port}/xmpp`);
    await login(page, "bob", password("bob"));
    await page.locator("#mbus li", { hasText: "app:player" }).click();
    await page.getByLabel("Commands").fill('player.play("song.mp3" 3)');
    await page.getByRole("button", { name: "Send" }).click();
    await page.locator("#mbus output", { hasText: /^Delivered to \(app:player/ }).waitFor();
    await until(() => player.out.includes('player.play("song.mp3" 3)'), () => `mbus-listen: ${player.out}`);
    await page.getByLabel("To", { exact: true }).fill("(app:nobody)");
    await page.getByRole("button", { name: "Send" }).click();
    await page.locator("#mbus output", { hasText: "(app:nobody)" }).waitFor();
    for (const value of ["on", "off"]) await lab.tool("mbus-send", "(app:xmpp user:bob)", "state.now", value);
    for (const value of ["on", "off"]) await page.locator("#mbus ol[aria-label=Messages] li", { hasText: `state.now(${value})` }).waitFor();
    assert.deepEqual(page.faults, []);
    await page.context().close();
});

test("the plugin of examples/converse shows who is on the bus and the feeds, as they change", async () => {
    const token = await lab.token("root");
    const post = (method, url, title) => spawnSync("curl", ["-sS", "-i", "-X", method, "-H", `Authorization: Bearer ${token}`,
        "-H", "Content-Type: application/atom+xml", ...(title ? ["-d", `<entry xmlns='http://www.w3.org/2005/Atom'><title>${title}</title></entry>`] : []), url], { encoding: "utf8" }).stdout;
    const feed = `http://localhost:${port}/atom/weather`;
    await lab.tool("mbus", "feed", "create", "weather");
    post("POST", feed, "before");
    const page = await open(`${site.origin}/index.html?domain=${domain}&websocket=ws://localhost:${port}/xmpp`);
    await login(page, "bob", password("bob"));
    const entities = page.locator("#mbus ul[aria-label='On the bus'] li");
    await entities.filter({ hasText: "app:player" }).waitFor();
    const weather = page.locator("#mbus ol[aria-label=weather] li");
    await weather.filter({ hasText: "before" }).waitFor();

    const mixer = await lab.listen("(app:mixer media:audio)");
    await entities.filter({ hasText: "app:mixer" }).waitFor();
    mixer.child.kill("SIGTERM");
    await until(async () => (await entities.filter({ hasText: "app:mixer" }).count()) === 0, () => "the end of the mixer");

    const made = /^Location: (.*)$/im.exec(post("POST", feed, "&lt;b&gt;storm&lt;/b&gt;"))[1].trim();
    await weather.filter({ hasText: "<b>storm</b>" }).waitFor();
    assert.match(await weather.first().textContent(), /storm/);
    post("PUT", made, "calm");
    await weather.filter({ hasText: "calm" }).waitFor();
    assert.equal(await weather.count(), 2);
    await page.screenshot({ path: join(pictures, "converse-plugin.png") });
    post("DELETE", made);
    await until(async () => (await weather.count()) === 1, () => "the retraction");
    assert.deepEqual(page.faults, []);
    await page.context().close();
});
