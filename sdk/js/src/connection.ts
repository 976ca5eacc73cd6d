// A connection to mbusd's gateway: where every program starts.
//
//     const bus = await connect("ws://localhost:8407", { token, name: "door panel" });
//     const me = await bus.attach("(app:panel module:ui)");
//
// It reconnects by itself, from 100 ms doubling to 10 s, and resumes its session exactly where it stopped; when
// the daemon no longer knows the session, entities and watches are made anew and the event `state` tells which
// messages were not acknowledged.
import { asAddress } from "./address.js";
import { Destination, enter, Entity, Host, HostedEntity, makeEntity } from "./entity.js";
import { asMbusError, cancelled, fail, isFinal, MbusError } from "./errors.js";
import { Codec, Fields } from "./frame.js";
import { closingLimit, delayFirst, delayMost, openingLimit, timerMost } from "./limits.js";
import type { RequestEvents } from "./requests.js";
import { makeSession } from "./session.js";
import { openSocket, WebSocketClass } from "./socket.js";

export interface ConnectOptions {
    token?: string; // from `mbus client add NAME`
    name?: string; // who this is, for people
    window?: number; // messages that may be under way to this program unacknowledged; 1 to 65536
    expiry?: number; // s that the session outlives its connection
    durable?: boolean; // ... and the daemon; needs a right
    WebSocket?: WebSocketClass; // where there is no global one: that of npm's `ws`
    binding?: Codec; // form of the frames: binary if not given, or `text` of @mbus/client/text
    silence?: number; // ms without a sign of life after which a connection, or an attempt, is given up
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

export interface Connection {
    readonly state: ConnectionState;
    readonly waiting: number; // messages that the daemon has not yet taken over
    readonly broker: string; // the daemon's id; "" before the first connection

    // Resolves when connected. Rejects when it will never be, or after `limit` ms.
    ready(limit?: number): Promise<void>;
    // Resolves when the daemon has taken over all that was sent.
    drained(): Promise<void>;

    // Takes part in the bus under this address; reads a queue; or monitors all messages that fit (one monitor
    // for each connection). Rejects with bad-address, conflict, forbidden, limit, not-found.
    attach(address: Destination, options?: AttachOptions): Promise<Entity>;
    // Calls back for each entity that is there (present), then for each that comes or goes.
    watch(pattern: Destination, callback: (peer: Peer) => void): Promise<Watch>;
    // The entities that fit, on all hosts of the bus.
    peers(pattern?: Destination): Promise<string[]>;
    // Withdraws a URL that Entity.grant() made.
    revoke(url: string): Promise<void>;

    // Returns what ends it.
    on<Name extends keyof Events>(name: Name, handler: (event: Events[Name]) => void): () => void;
    // Waits until all that was sent is acknowledged, ends the session, and after `limit` ms in any case.
    close(limit?: number): Promise<void>;
}

function socketUrl(where: string | URL): string {
    const url = new URL(where, globalThis.location?.href);
    url.protocol = url.protocol.replace("http", "ws");
    if (url.pathname === "/") url.pathname = "/mbws";
    return url.href;
}

const later = (failure: unknown) =>
    setTimeout(() => {
        throw failure;
    });
const guard = <What>(callback: (what: What) => void, what: What) => {
    try {
        callback(what);
    } catch (failure) {
        later(failure);
    }
};

// Connects in the background; see connect() for one that waits.
export function open(where: string | URL, options: ConnectOptions = {}): Connection {
    const kind = options.WebSocket ?? globalThis.WebSocket ?? fail("bad-argument", "pass { WebSocket } of npm's ws");
    const url = socketUrl(where);
    const { silence = 60_000 } = options;

    let state: ConnectionState = "connecting";
    let reason: MbusError | undefined;
    let broker = "";
    let socket: ReturnType<typeof openSocket> | undefined;
    let attempts = 0;
    let quiet = 0; // how often in a row the watch of the silence found that nothing had come
    let timer: ReturnType<typeof setTimeout> | undefined; // of what is to happen next to the connection
    let waiters: [done: () => boolean, resolve: () => void, reject: (failure: unknown) => void][] = [];
    const attached = new Set<HostedEntity>();
    const handlers: { [name: string]: Set<(event: any) => void> } = {};

    const handlersOf = (name: keyof Events) => (handlers[name] ??= new Set());
    const emit = <Name extends keyof Events>(event: Name, what: Events[Name]) =>
        handlersOf(event).forEach((handler) => guard(handler, what));
    const change = (event: StateEvent) => {
        ({ state, reason } = event);
        emit("state", event);
    };
    const isClosed = () => state === "closed";
    const whyClosed = () => reason ?? cancelled();

    // --- the socket ---------------------------------------------------------------------------------

    const next = (delay: number, action: () => void) => {
        clearTimeout(timer);
        timer = setTimeout(action, delay);
    };
    const drop = (orderly?: boolean) => {
        clearTimeout(timer);
        socket?.drop_(orderly);
        socket = undefined;
    };
    const timedOut = () => fault_(new MbusError("timed-out", `${url} is silent`));
    const dial = () => {
        next(Math.min(openingLimit, silence), timedOut);
        socket = openSocket(kind as WebSocketClass, url, {
            opened_: session.connect_,
            data_(data) {
                quiet = 0;
                session.receive_(data);
                keepPromises();
            },
            gone_: fault_,
        });
    };
    // Says ping after two thirds of the silence that is borne.
    const watchSilence = () =>
        next(silence / 3, () => {
            if (++quiet > 2) return timedOut();
            if (quiet > 1) session.ping_();
            watchSilence();
        });
    const fault_ = (failure: MbusError) => {
        drop();
        session.lost_();
        if (isClosed()) return;
        if (isFinal(failure)) {
            finish(failure);
            return session.end_();
        }
        next(Math.min(delayMost, delayFirst * 2 ** attempts++) * (0.5 + Math.random() / 2), dial);
        change({ state: "connecting", reason: failure });
    };
    const finish = (why?: MbusError) => {
        if (isClosed()) return;
        drop(true);
        change({ state: "closed", reason: why });
        attached.forEach((each) => each.end_(whyClosed()));
        attached.clear();
        keepPromises();
    };
    const keepPromises = () => {
        waiters = waiters.filter(([done, resolve, reject]) => {
            if (isClosed()) reject(whyClosed());
            else if (done()) resolve();
            else return true;
        });
    };
    // Resolves when `done`, rejects when the connection is closed. Calls `late` after `limit` ms; of longer ones
    // than a timer can measure, after that.
    const until = (done: () => boolean, limit = 0, late?: (reject: (failure: unknown) => void) => void): Promise<void> => {
        let clock: ReturnType<typeof setTimeout> | undefined;
        return new Promise<void>((resolve, reject) => {
            if (late) clock = setTimeout(late, Math.min(limit, timerMost), reject);
            waiters.push([done, resolve, reject]);
            keepPromises();
        }).finally(() => clearTimeout(clock));
    };

    const session = makeSession(options, {
        write_: (data) => socket!.send_(data),
        connected_(fields, resumed, lost) {
            attempts = 0;
            broker = fields.broker ?? "";
            watchSilence();
            const unacknowledged = lost.map(({ fields_: { to, type }, body_: body }) => ({ to: to!, type, body }));
            change({ state: "connected", resumed, unacknowledged });
        },
        fault_,
        closed_: finish,
        message_(frame, ack, nak) {
            const [, , { entity, mode }] = frame;
            const isFor = ({ mode_, address_ }: HostedEntity) =>
                mode === "monitor" ? mode_ === mode : mode_ !== "monitor" && (!entity || address_ === entity);
            const reader = [...attached].find(isFor);
            if (reader) reader.deliver_(frame, ack, nak);
            else ack(); // detached meanwhile
        },
        missed_: (messages) => emit("missed", messages),
        refused_: (failure) => emit("refused", failure),
    });

    // --- what entities need, and programs -------------------------------------------------------------

    const ask = (verb: string, fields: Fields, events: RequestEvents): number => {
        if (isClosed()) throw whyClosed();
        return session.request_(verb, fields, events);
    };
    const request_ = (verb: string, fields: Fields): Promise<Fields> =>
        new Promise((done_, refused_) => ask(verb, fields, { done_, refused_ }));
    const host: Host = {
        send_: session.send_,
        request_,
        entities_: () => attached.size,
        report_(event, what) {
            if (event === "refused") emit(event, asMbusError(what));
            else if (handlersOf(event).size) emit(event, what);
            else later(what);
        },
    };

    const connection: Connection = {
        get state() {
            return state;
        },
        get waiting() {
            return session.waiting_();
        },
        get broker() {
            return broker;
        },
        ready: (limit = openingLimit) =>
            until(session.connected_, limit, (reject) => reject(new MbusError("timed-out", reason?.message ?? `${url} is silent`))),
        drained: () => until(() => !session.waiting_()),
        attach: (address, { commands: command, ...more } = {}) =>
            new Promise((resolve, reject) => {
                let hosted: HostedEntity | undefined;
                const wanted = { entity: address && asAddress(address).text, command, ...more };
                const number: number = ask("attach", wanted, {
                    done_({ entity = "()" }) {
                        if (hosted) hosted.address_ = entity;
                        else attached.add((hosted = makeEntity(host, entity, more.mode, number)));
                        resolve(hosted.entity_);
                    },
                    refused_(failure) {
                        reject(failure);
                        if (!hosted) return;
                        attached.delete(hosted); // in a new session
                        hosted.end_(failure);
                        host.report_("error", failure);
                    },
                });
            }),
        watch: (pattern, callback) =>
            new Promise((resolve, refused_) => {
                const peers = new Set<string>();
                let before = new Set<string>(); // the list is told anew: these were there
                const entity_ = ({ entity: address = "", state: seen }: Fields) => {
                    const there = seen === "present" || seen === "joined";
                    before.delete(address);
                    if (peers.has(address) === there) return;
                    if (there) peers.add(address);
                    else peers.delete(address);
                    guard(callback, { address, state: seen as Peer["state"] });
                };
                const number: number = ask("watch", { to: asAddress(pattern).text }, {
                    entity_,
                    restarted_: () => (before = new Set(peers)),
                    done_() {
                        before.forEach((entity) => entity_({ entity, state: "lost" }));
                        resolve({ peers, stop: async () => void (await request_("detach", { about: number })) });
                    },
                    refused_,
                });
            }),
        async peers(pattern = "()") {
            const watch = await connection.watch(pattern, () => 0);
            await watch.stop();
            return [...watch.peers];
        },
        revoke: async (target) => void (await request_("revoke", { url: target })),
        on: (event, handler) => enter(handlersOf(event), handler),
        close(limit = closingLimit) {
            session.close_();
            return until(() => false, limit, session.end_).catch(() => undefined);
        },
    };
    dial();
    return connection;
}

// Connects and waits until the session is open. Rejects with unauthorized, forbidden, timed-out and the like;
// nothing goes on in the background then.
export async function connect(url: string | URL, options: ConnectOptions = {}): Promise<Connection> {
    const connection = open(url, options);
    try {
        await connection.ready(options.limit);
        return connection;
    } catch (failure) {
        await connection.close(0);
        throw failure;
    }
}
