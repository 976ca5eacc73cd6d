// A daemon in memory: WebSockets without a network, and just enough of a broker (docs/mbws.md, sections 3 and 4)
// to test the client: one session after another, numbers, resume, receipts. It keeps what it got and does
// what a test tells it.
import { built } from "./support.mjs";

const mbus = await built("internals.js");
const empty = new Uint8Array(0);

export class FakeDaemon {
    constructor({ auto = true } = {}) {
        const daemon = this;
        this.auto = auto; // answers by itself
        this.sockets = [];
        this.frames = []; // all that came
        this.reachable = true;
        this.sessions = 0;
        this.newSession();
        // The class to be given to connect().
        this.WebSocket = class {
            protocol = "mbws";
            constructor(url, protocols) {
                this.url = url;
                this.protocols = protocols;
                this.open = false;
                daemon.sockets.push(this);
                setTimeout(() => {
                    if (this.dropped || daemon.stalled) return;
                    if (!daemon.reachable) return this.end(1006, "");
                    this.open = true;
                    this.onopen({});
                });
            }
            send(data) {
                if (!this.open) throw new Error("not open");
                if (this.cut) return; // half open: swallowed
                queueMicrotask(() => this.cut || daemon.receive(this, data));
            }
            close() {
                this.dropped = true;
                this.open = false;
            }
            // From the other side.
            end(code, reason) {
                if (this.dropped) return;
                this.open = false;
                this.cut = true;
                this.onclose({ code, reason });
            }
        };
    }

    get socket() {
        return this.sockets.at(-1);
    }

    newSession() {
        this.token = `session-${++this.sessions}-`.padEnd(32, "x");
        this.received = 0; // numbers from the client
        this.taken = []; // their bodies, in order
        this.outbox = []; // numbered frames that are not acknowledged
        this.acknowledged = 0;
        this.entities = 0;
    }

    // Forgets the session, like a daemon that was restarted.
    forget() {
        this.newSession();
    }

    write(verb, fields = {}, { number = 0, flags = 0, body = empty } = {}, socket = this.socket) {
        const data = mbus.binary.encode([verb, number, fields, body, flags]);
        if (!socket.open || socket.cut) return;
        setTimeout(() => socket.open && !socket.cut && socket.onmessage({ data: data.slice().buffer }));
    }

    // Sends a numbered frame, now or at the next resume.
    deliver(verb, fields, body = "") {
        const frame = [verb, fields, { number: this.acknowledged + this.outbox.length + 1, body: mbus.toUtf8(body) }];
        this.outbox.push(frame);
        this.write(...frame);
    }

    message(body, fields = {}) {
        this.deliver("message", { to: "(app:me)", from: "(app:x id:1-1@h)", ...fields }, body);
    }

    receive(socket, data) {
        const [verb, number, fields, body, flags] = mbus.binary.decode(new Uint8Array(data));
        const frame = { verb, number, fields, body, flags };
        this.frames.push(frame);
        if (this.auto) this.answer(socket, frame);
    }

    answer(socket, frame) {
        const { verb, fields, number, flags } = frame;
        if (verb === "connect") this.onConnect(fields);
        else if (verb === "attach") this.write("ok", { request: fields.request, entity: this.addressFor(fields.entity) });
        else if (verb === "message") this.onMessage(frame);
        else if (verb === "ack") this.onAck(Number(number));
        else if (verb === "ping") this.write("pong");
        else if (verb === "close") this.write("close");
        else if (verb === "nak") this.onNumber(Number(number));
        else if (verb === "detach") this.write("ok", { request: fields.request });
        void flags;
        void socket;
    }

    addressFor(entity) {
        return `${entity.slice(0, -1)} id:${++this.entities}-${this.sessions}@10.0.0.1)`.replace("( ", "(");
    }

    onConnect(fields) {
        const resumed = fields.session === this.token;
        if (!resumed) this.newSession();
        else this.onAck(Number(fields.received));
        const common = { version: 1, session: this.token, window: 64, expiry: 60, size: 1 << 20, broker: "00112233445566ff" };
        this.write("connected", { ...common, resumed, received: this.received });
        for (const [verb, of, more] of this.outbox) this.write(verb, of, { ...more, flags: 4 });
    }

    // True when it is new.
    onNumber(number) {
        if (number <= this.received) return false;
        if (number !== this.received + 1) throw new Error(`the client skipped from ${this.received} to ${number}`);
        this.received = number;
        this.write("ack", {}, { number });
        return true;
    }

    onMessage({ number, fields, body, flags }) {
        if (!this.onNumber(Number(number))) return this.write("ack", {}, { number: this.received });
        this.taken.push(mbus.fromUtf8(body));
        if (flags & 3) this.deliver("receipt", { about: number, matched: 1, ...(flags & 1 ? { entity: fields.to, tried: 1, took: 2 } : {}) });
    }

    onAck(number) {
        if (number > this.acknowledged + this.outbox.length) throw new Error("the client acknowledged what was never sent");
        this.outbox.splice(0, Math.max(0, number - this.acknowledged));
        this.acknowledged = Math.max(number, this.acknowledged);
    }

    // Cuts the connection; `silently`: half open, nobody is told.
    cut(silently = false) {
        const socket = this.socket;
        if (silently) socket.cut = true;
        else socket.end(1006, "");
    }

    named(verb) {
        return this.frames.filter((each) => each.verb === verb);
    }
}
