// A private mbusd with XMPP and two accounts, or a private Prosody; and the network between client and server,
// which can be cut. To be run in a network namespace of its own (CMakeLists.txt).
//
// MBUS_BIN names the directory of mbusd and the tools; MBUS_XMPP_SERVER=prosody takes Prosody instead.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import WebSocket from "ws";
import { configure, differences, prosody } from "./prosody.mjs";

globalThis.WebSocket ??= WebSocket; // Node below 22 has none

const bin = process.env.MBUS_BIN;
const slow = Number(process.env.MBUS_TEST_SLOW ?? 1);
export const patience = 20_000 * slow;
export const port = 8407; // nobody else is in this network
export const domain = "bus.example";
export const pubsub = `pubsub.${domain}`;
export const bus = `bus.${domain}`;
const users = ["ann", "bob"];
const withProsody = process.env.MBUS_XMPP_SERVER === "prosody";
export const endpoint = `ws://127.0.0.1:${port}/${withProsody ? "xmpp-websocket" : "xmpp"}`;
export const password = (user) => `secret of ${user}`;
// Why a step can't be done with this server; nothing when it can.
export const skipped = (step) => (withProsody ? differences[step] : undefined);

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
export async function until(done, what, ms = patience) {
    for (const end = Date.now() + ms; ; await sleep(20)) {
        const found = await done();
        if (found) return found;
        if (Date.now() > end) throw new Error(`${what} did not happen within ${ms} ms`);
    }
}

const key = `[MBUS]
CONFIG_VERSION=1
HASHKEY=(HMAC-SHA1-96,MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=)
ENCRYPTIONKEY=(NOENCR,)
SCOPE=HOSTLOCAL
`;

export class Lab {
    folder = mkdtempSync(join(tmpdir(), "mbusd-xmpp-"));
    running = new Set();
    environment = { ...process.env, MBUS_SOCKET: join(this.folder, "mbusd.sock") };

    start() {
        return withProsody ? this.startProsody() : this.startMbusd();
    }

    async startProsody() {
        const file = configure(this.folder, { port, domain, pubsub, users, password });
        this.daemon = this.run(prosody, ["-F", "--config", file]);
        const listens = () => this.daemon.out.includes(`Activated service 'http' on [127.0.0.1]:${port}`);
        await until(() => this.daemon.child.exitCode !== null || listens(), "the start of Prosody");
        if (this.daemon.child.exitCode !== null) throw new Error(`Prosody ended: ${this.daemon.out}${this.daemon.err}`);
    }

    async startMbusd() {
        writeFileSync(join(this.folder, "mbus.conf"), key, { mode: 0o600 });
        writeFileSync(
            join(this.folder, "mbusd.toml"),
            `[socket]\npath = "${this.environment.MBUS_SOCKET}"\n[state]\ndirectory = "${this.folder}"\n` +
                `[gateway]\nenabled = true\nlisten = ["127.0.0.1:${port}"]\n[xmpp]\nenabled = true\ndomain = "${domain}"\n`,
        );
        this.daemon = this.run("mbusd", ["--config", join(this.folder, "mbusd.toml"), "--key-file", join(this.folder, "mbus.conf")]);
        await until(() => this.daemon.child.exitCode !== null || this.daemon.err.includes("gateway ready"), "the start of mbusd");
        if (this.daemon.child.exitCode !== null) throw new Error(`mbusd ended: ${this.daemon.err}`);
        for (const user of users) {
            await this.tool("mbus", ["client", "add", "--xmpp", user, "--password-file", "-"], `${password(user)}\n`);
        }
        // Somebody to talk to on the bus.
        this.listener = this.run("mbus-listen", ["-j", "(app:ear)"]);
    }

    // A program in the background; its output is gathered in `out` and `err`.
    run(name, words, input) {
        const child = spawn(resolve(bin ?? "", name), words, { env: this.environment, stdio: ["pipe", "pipe", "pipe"] });
        child.stdin.end(input ?? "");
        const program = { child, out: "", err: "" };
        program.ended = new Promise((resolve) => child.on("close", (code) => (this.running.delete(child), resolve(code))));
        child.stdout.on("data", (text) => (program.out += text));
        child.stderr.on("data", (text) => (program.err += text));
        this.running.add(child);
        return program;
    }

    async tool(name, words, input) {
        const program = this.run(name, words, input);
        const code = await program.ended;
        if (code !== 0) throw new Error(`${name} ${words.join(" ")} ended with ${code}: ${program.err}`);
        return program.out.trim();
    }

    async stop() {
        for (const child of this.running) child.kill("SIGTERM");
        await until(() => this.running.size === 0, "the end of all programs");
        rmSync(this.folder, { recursive: true, force: true });
    }
}

// The way to the server, through a port of ours: cut() breaks what is connected, as a network does.
export class Cable {
    open = new Set();
    async lay() {
        const to = new URL(endpoint);
        this.server = createServer((near) => {
            const far = connect(Number(to.port), to.hostname);
            this.open.add(near);
            for (const [a, b] of [[near, far], [far, near]]) {
                a.on("error", () => b.destroy());
                a.on("close", () => b.destroy());
                a.pipe(b);
            }
            near.on("close", () => this.open.delete(near));
        });
        await new Promise((resolve) => this.server.listen(0, "127.0.0.1", resolve));
        return `ws://127.0.0.1:${this.server.address().port}${to.pathname}`;
    }
    cut() {
        for (const each of this.open) each.resetAndDestroy();
    }
    close() {
        this.cut();
        this.server.close();
    }
}

export const namespace = {
    atom: "http://www.w3.org/2005/Atom",
    bus: "urn:x-mbus:1",
    receipts: "urn:xmpp:receipts",
    info: "http://jabber.org/protocol/disco#info",
    items: "http://jabber.org/protocol/disco#items",
    pubsub: "http://jabber.org/protocol/pubsub",
    event: "http://jabber.org/protocol/pubsub#event",
};
export const entry = (title) => `<entry xmlns='${namespace.atom}'><id>tag:${domain},2026:1</id><title>${title}</title><updated>2026-01-01T00:00:00Z</updated></entry>`;
