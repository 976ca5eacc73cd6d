// The private mbusd of these tests with two accounts, or a private Prosody; and the network between client and
// server, which can be cut. MBUS_XMPP_SERVER=prosody takes Prosody; for the rest see private_daemon.mjs
// (tests/javascript).
import { connect, createServer } from "node:net";
import WebSocket from "ws";
import { PrivateDaemon, port, until } from "./private_daemon.mjs";
import { configure, differences, prosody } from "./prosody.mjs";

export { patience, port, sleep, until } from "./private_daemon.mjs";
globalThis.WebSocket ??= WebSocket; // Node below 22 has none

export const domain = "bus.example";
export const pubsub = `pubsub.${domain}`;
export const bus = `bus.${domain}`;
const users = ["ann", "bob"];
const withProsody = process.env.MBUS_XMPP_SERVER === "prosody";
export const endpoint = `ws://127.0.0.1:${port}/${withProsody ? "xmpp-websocket" : "xmpp"}`;
export const password = (user) => `secret of ${user}`;
// Why a step can't be done with this server; nothing when it can.
export const skipped = (step) => (withProsody ? differences[step] : undefined);

export class Lab extends PrivateDaemon {
    constructor() {
        super(`[xmpp]\nenabled = true\ndomain = "${domain}"\n`);
    }

    start() {
        return withProsody ? this.startProsody() : this.startMbusd();
    }

    async startProsody() {
        const file = configure(this.folder, { port, domain, pubsub, users, password });
        this.daemon = this.begin(prosody, ["-F", "--config", file]);
        const listens = () => this.daemon.out.includes(`Activated service 'http' on [127.0.0.1]:${port}`);
        await until(() => this.daemon.child.exitCode !== null || listens(), "the start of Prosody");
        if (this.daemon.child.exitCode !== null) throw new Error(`Prosody ended: ${this.daemon.out}${this.daemon.err}`);
    }

    async startMbusd() {
        await this.startDaemon();
        for (const user of users) await this.account(user, password(user));
        // Somebody to talk to on the bus.
        this.listener = this.begin("mbus-listen", ["-j", "(app:ear)"]);
    }

    tool(name, words, input) {
        return this.complete(name, words, input);
    }

    stop() {
        return this.end("SIGTERM");
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
