// A connection to mbusd's gateway: where every program starts.
//
//     const bus = await connect("ws://localhost:8407/mbws", { token, name: "door panel" });
//     const me = await bus.attach("(app:panel module:ui)");
//
// It reconnects by itself, from 100 ms doubling to 10 s, and resumes its session exactly where it stopped; when
// the daemon no longer knows the session, entities and watches are made anew and the event `state` tells which
// messages were not acknowledged.
import { addressText } from "./address.js";
import { Destination, Entity, Host } from "./entity.js";
import { asMbusError, MbusError } from "./errors.js";
import { Fields, Frame } from "./frame.js";
import { isFinal, Outgoing, Session, SessionHandler, SessionOptions } from "./session.js";
import { Socket, WebSocketClass } from "./socket.js";
import { RequestEvents } from "./requests.js";

export interface ConnectOptions {
    token?: string; // from `mbus client add NAME`
    name?: string; // who this is, for people
    window?: number; // messages that may be under way to this program unacknowledged; 1 to 65536
    expiry?: number; // s that the session outlives its connection
    durable?: boolean; // ... and the daemon; needs a right
    WebSocket?: WebSocketClass; // where there is no global one: that of npm's `ws`
    binding?: "binary" | "text"; // form of the frames
    silence?: number; // ms without a sign of life after which a connection is given up
    limit?: number; // ms that connect() waits
    queueOctets?: number; // that may wait to be sent; then send() throws overflow
    queueMessages?: number; // the same
}

export interface AttachOptions {
    mode?: "entity" | "queue" | "monitor";
    queue?: string; // its name, for mode queue
    commands?: string; // only messages with a command that fits: "player.*,mixer.mute"
    type?: string; // media type of opaque bodies to take as they are: "image/png", "*/*"
    policy?: "drop-oldest" | "drop-newest" | "latest" | "block" | "disconnect";
}

export type ConnectionState = "connecting" | "connected" | "closed";

export interface UnacknowledgedMessage {
    readonly to: string;
    readonly type?: string;
    readonly body: Uint8Array;
}

export interface StateEvent {
    state: ConnectionState;
    // With connected: true: the same session goes on, nothing was lost.
    resumed?: boolean;
    // With connected, a new session: messages of the old one whose fate is unknown; they are not sent again.
    unacknowledged?: UnacknowledgedMessage[];
    // With connecting and closed: why.
    reason?: MbusError;
}

export interface Events {
    state: StateEvent;
    missed: number; // messages that were dropped since this program read too slowly
    refused: MbusError; // of a message for which no outcome was wanted
    error: unknown; // what a listener threw; without a handler it is thrown again
}

export interface Peer {
    address: string;
    state: "present" | "joined" | "left" | "lost";
}

export interface Watch {
    readonly peers: ReadonlySet<string>; // the addresses that are there
    stop(): Promise<void>;
}

const delayFirst = 100; // ms (docs/mbws.md, section 6)
const delayMost = 10_000;
const openingLimit = 10_000; // ms for handshake and `connected`
const defaults = { limit: 10_000, silence: 60_000, window: 256, size: 1 << 20, queueOctets: 8 << 20, queueMessages: 65536 };

function socketUrl(url: string | URL): string {
    const full = new URL(url, (globalThis as { location?: Location }).location?.href);
    full.protocol = full.protocol.replace(/^http/, "ws");
    if (full.pathname === "/") full.pathname = "/mbws";
    return full.href;
}

const now = (): number => performance.now();

export class Connection implements SessionHandler, Host {
    private session_: Session;
    private socket_?: Socket;
    private open_ = false; // the socket
    private readonly url_: string;
    private readonly kind_: WebSocketClass;
    private state_: ConnectionState = "connecting";
    private attempts_ = 0;
    private retryAt_ = Infinity;
    private openBy_ = Infinity;
    private timer_?: ReturnType<typeof setTimeout>;
    private armed_ = Infinity;
    private attached_ = new Set<Entity>();
    private handlers_: { [Name in keyof Events]?: Set<(event: Events[Name]) => void> } = {};
    private waiters_: [done: () => boolean, resolve: () => void, reject: (failure: unknown) => void][] = [];
    private reason_?: MbusError;
    // The daemon's id, 16 hexadecimal digits; "" before the first connection.
    broker = "";

    // Connects in the background; see connect() for one that waits.
    constructor(url: string | URL, options: ConnectOptions = {}) {
        const kind = options.WebSocket ?? (globalThis as { WebSocket?: WebSocketClass }).WebSocket;
        if (!kind) throw new MbusError("bad-argument", "no WebSocket here: pass { WebSocket } from the package `ws`");
        this.kind_ = kind;
        this.url_ = socketUrl(url);
        const { token = "", name = "", expiry, durable = false, binding } = options;
        const filled = { ...defaults, ...options, token, name, expiry, durable, text: binding === "text" };
        this.session_ = new Session(filled as SessionOptions, this);
        this.dial_();
    }

    get state(): ConnectionState {
        return this.state_;
    }
    // Messages that the daemon has not yet taken over.
    get waiting(): number {
        return this.session_.waiting;
    }

    // Resolves when connected. Rejects when it will never be, or after `limit` ms.
    ready(limit = defaults.limit): Promise<void> {
        const late = () => new MbusError("timed-out", this.reason_?.message ?? "the daemon did not answer in time");
        return this.until_(() => this.session_.connected, limit, late);
    }

    // Resolves when the daemon has taken over all that was sent.
    drained(): Promise<void> {
        return this.until_(() => !this.waiting);
    }

    // --- taking part ------------------------------------------------------------------------------

    // Takes part in the bus under this address; reads a queue; or monitors all messages that fit. Rejects
    // with bad-address, conflict, forbidden, limit, not-found.
    attach(address: Destination, options: AttachOptions = {}): Promise<Entity> {
        const { mode = "entity", commands: command, ...rest } = options;
        const fields = { entity: address === "" ? undefined : addressText(address), command, ...rest };
        return new Promise((resolve, reject) => {
            let entity: Entity | undefined;
            const number: number = this.ask_("attach", { ...fields, mode: mode === "entity" ? undefined : mode }, {
                done: (ok) => {
                    const own = ok.entity ?? fields.entity ?? "()";
                    if (entity) entity.address = own;
                    else this.attached_.add((entity = new Entity(this, own, mode, number)));
                    resolve(entity);
                },
                refused: (failure) => {
                    reject(failure);
                    if (!entity) return;
                    this.attached_.delete(entity);
                    entity.end(failure);
                    if (this.state_ !== "closed") this.report("error", failure);
                },
            });
        });
    }

    // Calls back for each entity that is there (present), then for each that comes or goes.
    watch(pattern: Destination, callback: (peer: Peer) => void): Promise<Watch> {
        const peers = new Set<string>();
        let before = new Set<string>(); // the list is told anew: these were there
        const tell = (address: string, state: string) => {
            const there = state === "present" || state === "joined";
            before.delete(address);
            if (peers.has(address) === there) return;
            if (there) peers.add(address);
            else peers.delete(address);
            this.guard_(() => callback({ address, state: state as Peer["state"] }));
        };
        return new Promise((resolve, reject) => {
            const number: number = this.ask_("watch", { to: addressText(pattern) }, {
                entity: ({ entity = "", state = "" }) => tell(entity, state),
                restarted: () => (before = new Set(peers)),
                done: () => {
                    for (const gone of [...before]) tell(gone, "lost");
                    resolve({ peers, stop: () => this.request("detach", { about: number }).then(() => undefined) });
                },
                refused: reject,
            });
        });
    }

    // The entities that fit, on all hosts of the bus.
    async peers(pattern: Destination = "()"): Promise<string[]> {
        const watch = await this.watch(pattern, () => undefined);
        await watch.stop();
        return [...watch.peers];
    }

    // Withdraws a URL that Entity.grant() made.
    async revoke(url: string): Promise<void> {
        await this.request("revoke", { url });
    }

    // --- events -----------------------------------------------------------------------------------

    // Returns what ends it.
    on<Name extends keyof Events>(name: Name, handler: (event: Events[Name]) => void): () => void {
        const all = (this.handlers_[name] ??= new Set() as never) as Set<(event: Events[Name]) => void>;
        all.add(handler);
        return () => void all.delete(handler);
    }

    private emit_<Name extends keyof Events>(name: Name, event: Events[Name]): void {
        const all = this.handlers_[name] as Set<(event: Events[Name]) => void> | undefined;
        for (const handler of all ?? []) this.guard_(() => handler(event));
    }

    report(name: "error" | "refused", what: unknown): void {
        if (name === "refused") return this.emit_(name, asMbusError(what));
        if (this.handlers_.error?.size) return this.emit_("error", what);
        setTimeout(() => {
            throw what;
        });
    }

    private guard_(action: () => void): void {
        try {
            action();
        } catch (failure) {
            setTimeout(() => {
                throw failure;
            });
        }
    }

    private change_(event: StateEvent): void {
        this.state_ = event.state;
        this.reason_ = event.reason;
        this.emit_("state", event);
    }

    // --- closing ----------------------------------------------------------------------------------

    // Waits until all that was sent is acknowledged, ends the session, and after `limit` ms in any case.
    close(limit = 5000): Promise<void> {
        if (this.state_ === "closed") return Promise.resolve();
        return new Promise((resolve) => {
            const cancel = this.after(limit, () => this.session_.end_());
            this.on("state", ({ state }) => {
                if (state !== "closed") return;
                cancel();
                resolve();
            });
            this.session_.close();
            this.settle_();
        });
    }

    private finish_(reason?: MbusError): void {
        if (this.state_ === "closed") return;
        this.drop_(!reason);
        this.retryAt_ = Infinity;
        this.change_({ state: "closed", reason });
        const failure = reason ?? new MbusError("cancelled", "the connection was closed");
        for (const entity of this.attached_) entity.end(failure);
        this.attached_.clear();
        this.settle_();
    }

    // --- what entities need (Host) ------------------------------------------------------------------

    send(what: Outgoing): void {
        if (this.state_ === "closed") throw new MbusError("disconnected", "the connection is closed; open another");
        this.session_.send(what);
        this.settle_();
    }

    request(verb: string, fields: Fields): Promise<Fields> {
        return new Promise((done, refused) => this.ask_(verb, fields, { done, refused }));
    }

    private ask_(verb: string, fields: Fields, events: RequestEvents): number {
        if (this.state_ === "closed") throw new MbusError("disconnected", "the connection is closed; open another");
        const number = this.session_.request(verb, fields, events);
        this.settle_();
        return number;
    }

    entities(): number {
        return this.attached_.size;
    }

    after(ms: number, action: () => void): () => void {
        const timer = setTimeout(action, ms);
        return () => clearTimeout(timer);
    }

    // --- the session's events (SessionHandler) --------------------------------------------------------

    connected(fields: Fields, resumed: boolean, lost: Outgoing[]): void {
        this.attempts_ = 0;
        this.openBy_ = Infinity;
        this.broker = fields.broker ?? "";
        const unacknowledged = lost.map((each) => ({ to: each.fields.to!, type: each.fields.type, body: each.body }));
        this.change_({ state: "connected", resumed, unacknowledged });
    }

    fault(failure: MbusError, again: boolean): void {
        this.drop_();
        this.session_.lost();
        if (again) return this.retry_(failure);
        this.reason_ = failure;
        this.session_.end_();
    }

    closed(): void {
        this.finish_(isFinal(this.reason_?.code ?? "") ? this.reason_ : undefined);
    }

    message(frame: Frame, delivery: { number: number; epoch: number }): void {
        const { entity } = frame.fields;
        let open = true;
        const once = (action: () => void) => () => {
            if (!open) return;
            open = false;
            action();
            this.settle_();
        };
        const ack = once(() => this.session_.takeOver(now(), delivery));
        const monitor = frame.fields.mode === "monitor";
        const all = [...this.attached_];
        const owner = monitor
            ? all.find(({ mode }) => mode === "monitor")
            : all.find(({ address, mode }) => mode !== "monitor" && (!entity || address === entity));
        if (!owner) return ack(); // detached meanwhile
        owner.deliver(frame, ack, (why) => once(() => this.session_.refuse(now, delivery, why))());
    }

    missed(messages: number): void {
        this.emit_("missed", messages);
    }

    refused(_what: Outgoing, failure: MbusError): void {
        this.emit_("refused", failure);
    }

    // --- the socket -----------------------------------------------------------------------------------

    private dial_(): void {
        this.retryAt_ = Infinity;
        this.openBy_ = now() + openingLimit;
        const events = {
            opened: () => {
                this.open_ = true;
                this.session_.connect(now());
                this.settle_();
            },
            data: (data: Uint8Array | string) => {
                this.session_.receive(now(), data);
                this.settle_();
            },
            gone: (reason: MbusError) => {
                this.fault(reason, !isFinal(reason.code));
                this.settle_();
            },
        };
        try {
            this.socket_ = new Socket(this.kind_, this.url_, events);
        } catch (failure) {
            return this.fault(asMbusError(failure), false); // the URL is none
        }
        this.settle_();
    }

    private drop_(orderly = false): void {
        this.open_ = false;
        this.openBy_ = Infinity;
        this.socket_?.drop(orderly);
        this.socket_ = undefined;
    }

    private retry_(reason: MbusError): void {
        if (this.state_ === "closed") return;
        const delay = Math.min(delayMost, delayFirst * 2 ** this.attempts_++);
        this.retryAt_ = now() + delay * (0.5 + Math.random() / 2);
        this.change_({ state: "connecting", reason });
    }

    // After everything that happens: writes what the session has to say, resolves promises, sets the timer.
    private settle_(): void {
        if (this.open_) {
            try {
                for (const data of this.session_.output()) this.socket_?.send(data);
            } catch (failure) {
                this.fault(asMbusError(failure), true); // it is closing already
            }
        }
        this.waiters_ = this.waiters_.filter(([done, resolve, reject]) => {
            if (this.state_ === "closed") reject(this.reason_ ?? new MbusError("cancelled", "the connection was closed"));
            else if (done()) resolve();
            else return true;
            return false;
        });
        const closed = this.state_ === "closed";
        const next = closed ? Infinity : Math.min(this.session_.deadline, this.retryAt_, this.openBy_);
        if (!closed && next >= this.armed_) return; // it fires early, and is set again
        clearTimeout(this.timer_);
        this.armed_ = next;
        if (next < Infinity) this.timer_ = setTimeout(() => this.tick_(), Math.max(0, next - now()));
    }

    private tick_(): void {
        this.armed_ = Infinity;
        const time = now();
        this.session_.advance(time);
        if (this.openBy_ <= time) this.fault(new MbusError("timed-out", `${this.url_} did not answer in time`), true);
        else if (this.retryAt_ <= time) this.dial_();
        this.settle_();
    }

    private until_(done: () => boolean, limit?: number, late?: () => MbusError): Promise<void> {
        return new Promise((resolve, reject) => {
            let cancel = () => {};
            const settled = (action: (failure?: unknown) => void) => (failure?: unknown) => {
                cancel();
                action(failure);
            };
            const waiter: Connection["waiters_"][number] = [done, settled(() => resolve()), settled(reject)];
            this.waiters_.push(waiter);
            if (limit !== undefined) {
                cancel = this.after(limit, () => {
                    this.waiters_ = this.waiters_.filter((each) => each !== waiter);
                    reject(late!());
                });
            }
            this.settle_();
        });
    }
}

// Connects and waits until the session is open. Rejects with unauthorized, forbidden, timed-out and the like;
// nothing goes on in the background then.
export async function connect(url: string | URL, options: ConnectOptions = {}): Promise<Connection> {
    const connection = new Connection(url, options);
    try {
        await connection.ready(options.limit);
    } catch (failure) {
        await connection.close(0);
        throw failure;
    }
    return connection;
}

