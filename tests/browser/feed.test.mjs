// One entry, three readers: curl POSTs it, and an XMPP page, an MBWS page and mbus-listen show it within 200 ms. What is
// read over HTTP afterwards is Atom for parsers of others.
import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import test, { after, before } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { chromium } from "playwright-core";
import { chromiumPath, Lab, patience, port, slow, until } from "./lab.mjs";
import { Site } from "./site.mjs";

const showLimit = 200 * slow; // ms; three times as much for a daemon with sanitizers
const posts = 9;
const warmUp = 2;
const base = `http://localhost:${port}/`;
const domain = "bus.example";
const modules = join(dirname(fileURLToPath(import.meta.url)), "node_modules");
const entry = (title) =>
    `<entry xmlns="http://www.w3.org/2005/Atom"><title>${title}</title><content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">A <em>text</em></div></content></entry>`;

// Both pages write what they are told into a list; `shown` is when each line appeared.
const listPage = `<!doctype html><meta charset="utf-8"><ol></ol><script>
    const shown = new Map();
    new MutationObserver((changes) => {
        for (const { addedNodes } of changes) for (const row of addedNodes) shown.set(row.textContent, Date.now());
    }).observe(document.querySelector("ol"), { childList: true });
    function show(text) {
        const row = document.createElement("li");
        row.textContent = text;
        document.querySelector("ol").append(row);
    }
</script>`;
let lab, site, browser, token, listener, readers;

async function xmppPage() {
    const page = await browser.newPage();
    await page.goto(site.page("/xmpp.html", `${listPage}<script src="/node_modules/strophe.js/dist/strophe.umd.min.js"></script>`));
    await page.evaluate(async ([service, jid, password, pubsub]) => {
        const { $iq, $pres, Strophe } = globalThis.strophe ?? globalThis;
        const connection = new Strophe.Connection(service);
        await new Promise((resolve, reject) => connection.connect(jid, password, (status) => {
            if (status === Strophe.Status.CONNECTED) resolve();
            if (status === Strophe.Status.AUTHFAIL || status === Strophe.Status.CONNFAIL) reject(new Error(`status ${status}`));
        }));
        const event = (stanza) => {
            for (const title of stanza.querySelectorAll("entry > title")) show(title.textContent);
            for (const gone of stanza.querySelectorAll("retract")) show(`gone ${gone.getAttribute("id")}`);
            return true;
        };
        connection.addHandler(event, "http://jabber.org/protocol/pubsub#event", "message", null, null, pubsub);
        connection.send($pres());
        const iq = $iq({ type: "set", to: pubsub }).c("pubsub", { xmlns: "http://jabber.org/protocol/pubsub" });
        await new Promise((resolve, reject) => connection.sendIQ(iq.c("subscribe", { node: "news", jid }), resolve, reject, 10_000));
    }, [`ws://localhost:${port}/xmpp`, `ann@${domain}`, "secret", `pubsub.${domain}`]);
    return page;
}

async function mbwsPage() {
    const page = await browser.newPage();
    await page.goto(site.page("/mbws.html", listPage));
    await page.evaluate(async ([base, token]) => {
        const { connect } = await import(`${base}mbus-client.js`);
        const me = await (await connect(base, { token })).attach("(feed:news app:page)");
        me.listen(({ commands }) => {
            for (const { name, args } of commands) show(name === "atom.deleted" ? `gone ${args[1]}` : args[2]);
        });
    }, [base, token]);
    return page;
}

// Status, headers and body.
async function curl(method, url, body, ...headers) {
    const words = ["-sS", "-i", "-X", method, "-H", `Authorization: Bearer ${token}`, ...headers.flatMap((each) => ["-H", each])];
    if (body) words.push("-H", "Content-Type: application/atom+xml", "-d", body);
    const { stdout } = await promisify(execFile)("curl", [...words, url]);
    const [head, ...rest] = stdout.split("\r\n\r\n");
    const fields = Object.fromEntries([...head.matchAll(/^([^:\r\n]+): (.*?)\r?$/gm)].map(([, name, value]) => [name.toLowerCase(), value]));
    return { status: Number(head.split(" ")[1]), fields, body: rest.join("\r\n\r\n") };
}

before(async () => {
    site = await Site.start({ "/node_modules/": modules });
    lab = new Lab(`origins = ["${site.origin}"]\n`);
    lab.configure(`[xmpp]\nenabled = true\ndomain = "${domain}"\n`);
    await lab.start();
    await lab.account("ann", "secret");
    token = await lab.token("root"); // the account of who runs this, and so the owner of the node
    await lab.tool("mbus", "feed", "create", "news", "The news");
    listener = await lab.listen("feed:news");
    // What it prints, and when.
    listener.lines = [];
    listener.child.stdout.on("data", (text) => listener.lines.push({ text: String(text), at: Date.now() }));
    browser = await chromium.launch({ executablePath: chromiumPath, args: ["--no-sandbox", "--disable-gpu"] });
    const inPage = async (name, made) => {
        const page = await made;
        page.setDefaultTimeout(patience);
        return { name, shown: (text) => page.waitForFunction((text) => shown.get(text), text).then((handle) => handle.jsonValue()) };
    };
    readers = [
        await inPage("XMPP page", xmppPage()),
        await inPage("MBWS page", mbwsPage()),
        { name: "mbus-listen", shown: async (text) => (await until(() => listener.lines.find((line) => line.text.includes(text)), () => `mbus-listen: ${listener.out}`)).at },
    ];
});
after(async () => {
    await browser?.close();
    site?.close();
    await lab?.close();
});

test("an entry that curl POSTs is at three readers within 200 ms", async (t) => {
    const took = [];
    for (let n = 1; n <= posts; ++n) {
        const began = Date.now();
        const [answer, ...seen] = await Promise.all([curl("POST", `${base}atom/news`, entry(`entry ${n}`)), ...readers.map((each) => each.shown(`entry ${n}`))]);
        assert.equal(answer.status, 201, answer.body);
        took.push(seen.map((at) => at - began));
    }
    t.diagnostic(`ms from the start of curl to ${readers.map(({ name }) => name).join("/")}: ${took.map((each) => each.join("/")).join(" ")}`);
    const slowest = took.slice(warmUp).map((each) => Math.max(...each)).sort((a, b) => a - b);
    const median = slowest[Math.floor(slowest.length / 2)];
    assert.ok(median <= showLimit, `median of the slowest reader: ${median} ms`);
});

test("PUT with an old ETag is 412 and changes nothing; with the current one all three readers see the new version", async () => {
    const made = await curl("POST", `${base}atom/news`, entry("draft"), "Slug: changing");
    const where = made.fields.location;
    const second = await curl("PUT", where, entry("second version"), `If-Match: ${made.fields.etag}`);
    assert.equal(second.status, 200, second.body);
    assert.notEqual(second.fields.etag, made.fields.etag);
    const late = await curl("PUT", where, entry("too late"), `If-Match: ${made.fields.etag}`);
    assert.equal(late.status, 412);
    assert.match((await curl("GET", where)).body, /second version/);
    assert.equal((await curl("DELETE", where, "", `If-Match: ${second.fields.etag}`)).status, 204);
    for (const each of readers) {
        await each.shown("second version");
        await each.shown(each.name === "mbus-listen" ? 'atom.deleted("news" "changing"' : "gone changing");
    }
    assert.ok(!listener.out.includes("too late"));
});

test("the feed is Atom for parsers of others: feedparser, and Chromium's with the rules of RFC 4287 s4.1", async () => {
    const { body, fields } = await curl("GET", `${base}atom/news`);
    assert.match(fields["content-type"], /^application\/atom\+xml/);
    const program = "import sys, json, feedparser; f = feedparser.parse(sys.stdin.buffer.read()); print(json.dumps([bool(f.bozo), f.version, f.feed.title, [e.title for e in f.entries]]))";
    const read = spawnSync("/usr/bin/python3", ["-c", program], { input: body, encoding: "utf8" });
    assert.equal(read.status, 0, read.stderr);
    const titles = Array.from({ length: posts }, (_, n) => `entry ${posts - n}`); // newest first
    assert.deepEqual(JSON.parse(read.stdout), [false, "atom10", "The news", titles]);

    const page = await browser.newPage();
    const wrong = await page.evaluate((text) => {
        const atom = "http://www.w3.org/2005/Atom";
        const feed = new DOMParser().parseFromString(text, "application/xml").documentElement;
        const of = (element, name) => [...element.children].filter((each) => each.namespaceURI === atom && each.localName === name);
        const faults = feed.namespaceURI === atom && feed.localName === "feed" ? [] : [feed.outerHTML];
        const check = (holds, what) => holds || faults.push(what);
        const entries = of(feed, "entry");
        for (const each of [feed, ...entries]) {
            for (const name of ["id", "title", "updated"]) check(of(each, name).length === 1, `${each.localName}: ${name}`);
            check(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(of(each, "updated")[0]?.textContent), "date");
            check(URL.canParse?.(of(each, "id")[0].textContent) ?? true, "an id is an IRI");
            for (const link of of(each, "link")) check(link.getAttribute("href"), "a link has href");
        }
        for (const each of entries) check(of(each, "author").concat(of(feed, "author")).some((one) => of(one, "name").length === 1), "an author with a name");
        check(new Set(entries.map((each) => of(each, "id")[0].textContent)).size === entries.length, "ids differ");
        check(of(feed, "link").some((each) => each.getAttribute("rel") === "self"), "self");
        return faults;
    }, body);
    assert.deepEqual(wrong, []);
});
