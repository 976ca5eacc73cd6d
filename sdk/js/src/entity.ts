// An entity that the daemon hosts for this program; what it sends and what comes for it.
//
//     const me = await bus.attach("(app:ui)");
//     me.send("(app:player)", command("player.play", "song.mp3"));
//     const { matched } = await me.sendReliably("(app:player)", "player.stop()");
//     const reply = await me.request("(module:mbusd)", command("mbusd.status"));
//     me.handle("ui.*", async (call) => [42]);
//     me.listen(async (message) => { ... });        // acknowledged when the promise is fulfilled
//     for await (const message of me.listen()) ...  // acknowledged when the next one is asked for
import { Address, asAddress } from "./address.js";
import { asMbusError, fail, MbusError } from "./errors.js";
import { Fields, flagReceipt, flagReliable, Frame } from "./frame.js";
import { encodePayload, globMatches, Message, Payload, SendOptions } from "./message.js";
import { answerCommand, callCommand, CallHandler, idOf, isCall, readAnswer, Reply, returnSuffix } from "./rpc.js";
import type { Outgoing } from "./session.js";
import { Command } from "./value.js";

export type Destination = Address | string;

// How a message ended well.
export interface Receipt {
    matched: number; // entities that the address matched
    entity?: string; // reliable: who took it
    tried?: number; // reliable: transmissions
    took?: number; // reliable: ms
}

export interface Grant {
    url: string; // whoever has it can send to this entity
    expiry?: number; // s
    uses?: number;
}

export type Listener = (message: Message) => unknown;

export interface Entity {
    // With its `id`; another one after a new session.
    readonly address: string;

    // To all entities that fit; no outcome is told. Refusals come as event `refused` of the connection. Throws
    // overflow, too-large, bad-address, bad-command, bad-value.
    send(to: Destination, what: Payload, options?: SendOptions): void;
    // To exactly one entity, acknowledged by it. Rejects with no-match, not-unique, not-acknowledged, ...
    sendReliably(to: Destination, what: Payload, options?: SendOptions): Promise<Receipt>;
    // Like send(), and tells how many entities matched; 0 is not an error.
    sendWithReceipt(to: Destination, what: Payload, options?: SendOptions): Promise<Receipt>;

    // Asks exactly one entity and waits for its answer. Rejects as sendReliably(), with remote-failed and the
    // callee's text, or timed-out.
    request(to: Destination, what: Command, options?: { timeout?: number }): Promise<Reply>;
    // Answers requests whose names fit the globs; returns what ends it. What the handler throws is the caller's
    // failure.
    handle(globs: string, handler: CallHandler): () => void;

    // Calls back for each message in the order of arrival, without waiting for the ones before. Returns what
    // ends it.
    listen(callback: Listener): () => void;
    // The messages to iterate over, one at a time.
    listen(): AsyncIterableIterator<Message>;

    // A URL under which others reach this entity with the commands that fit.
    grant(what?: { commands?: string; expiry?: number; uses?: number }): Promise<Grant>;
    // Leaves the bus. What waits is still delivered.
    detach(): Promise<void>;
}

// What an entity needs of its connection, and what the connection does with it.
export interface Host {
    send_(what: Outgoing): void;
    request_(verb: string, fields: Fields): Promise<Fields>;
    entities_(): number;
    report_(event: "error" | "refused", what: unknown): void;
}
export interface HostedEntity {
    readonly entity_: Entity;
    address_: string;
    readonly mode_: string;
    deliver_(frame: Frame, ack: () => void, nak: (reason?: string) => void): void;
    end_(failure: MbusError): void;
}

// RFC 3259 has no time limit; this is that of the other clients.
const requestTimeout = 10_000;

export function makeEntity(host: Host, address_: string, mode_: string, about: number): HostedEntity {
    let listener: Listener | undefined;
    let ended: MbusError | undefined; // why nothing is sent any more
    let lastId = 0;
    const inbox: Message[] = []; // the window bounds it
    const wakes = new Set<() => void>();
    const calls = new Map<string, { name_: string; callee_: Address; settle_(failure: unknown, reply?: Reply): void }>();
    const rules = new Set<[globs: string, handler: CallHandler]>();

    const outgoing = (to: Destination, what: Payload, { ttl, time }: SendOptions = {}, flags_ = 0): Outgoing => {
        const [type, body_] = encodePayload(what);
        if (ended) throw ended;
        const fields_: Fields = {
            to: asAddress(to).text,
            type,
            ttl,
            time,
            // Read when it is sent: the address may be another one in a new session.
            get from() {
                return host.entities_() > 1 ? hosted.address_ : undefined;
            },
        };
        return { verb_: "message", fields_, body_, flags_ };
    };
    const settled = async (what: Outgoing): Promise<Receipt> =>
        new Promise((resolve, reject) => {
            what.settle_ = (failure, { matched = 0, entity: by, tried, took }) =>
                failure ? reject(failure) : resolve({ matched, entity: by, tried, took });
            host.send_(what);
        });

    // --- requests -------------------------------------------------------------------------------

    const answer = async ({ from, to }: Message, what: Command, handler?: CallHandler) => {
        const { name, args } = what;
        let reply: Command;
        try {
            const done = handler
                ? await handler({ from, to, name, args: args[1] as Command["args"] })
                : fail("not-found", `unknown request ${name}`);
            encodePayload((reply = answerCommand(what, done)));
        } catch (failure) {
            reply = answerCommand(what, asMbusError(failure));
        }
        await entity.sendReliably(from, reply).catch((failure) => host.report_("refused", failure));
    };
    // True when the command was for this client and not for the program; `busy` ends when it was answered.
    const consume = (message: Message, what: Command, busy: Promise<void>[]): boolean => {
        const { from, to, reliable } = message;
        const { name } = what;
        const call = name.endsWith(returnSuffix) ? calls.get(idOf(what)) : undefined;
        if (call?.name_ === name && new Address(from).answersTo(call.callee_)) {
            try {
                call.settle_(0, readAnswer(what, from));
            } catch (failure) {
                call.settle_(failure);
            }
            return true;
        }
        if (!rules.size || !isCall(what)) return false;
        const [, handler] = [...rules].reverse().find(([globs]) => globMatches(globs, name)) ?? [];
        // A call to a group is answered by those who know it.
        if (!handler && !reliable && to !== hosted.address_) return false;
        busy.push(answer(message, what, handler));
        return true;
    };
    // Answers and requests go no further; true when nothing else is in the message.
    const consumeAll = (message: Message): boolean => {
        if (message.monitor || !(calls.size + rules.size)) return false;
        const busy: Promise<void>[] = [];
        try {
            const all = message.commands;
            message.commands = all.filter((each) => !consume(message, each, busy));
            if (message.commands.length || !all.length) return false;
        } catch {
            return false; // no commands: the program sees what came
        }
        void Promise.all(busy).then(message.ack);
        return true;
    };

    // --- receiving ------------------------------------------------------------------------------

    const hand = async (message: Message) => {
        try {
            await listener!(message);
        } catch (failure) {
            host.report_("error", failure);
            if (mode_ === "queue") message.nak(asMbusError(failure).message);
        }
        message.ack();
    };
    const wake = () => {
        wakes.forEach((each) => each());
        wakes.clear();
    };
    async function* messages(): AsyncIterableIterator<Message> {
        while (inbox.length || !ended) {
            const message = inbox.shift();
            try {
                if (message) yield message;
                else await new Promise<void>((resolve) => wakes.add(resolve));
            } finally {
                message?.ack(); // the loop went on, or was left
            }
        }
    }
    const listen = (callback?: Listener) => {
        if (!callback) return messages();
        listener = callback;
        while (inbox.length) void hand(inbox.shift()!);
        return () => {
            if (listener === callback) listener = undefined;
        };
    };

    const entity: Entity = {
        get address() {
            return hosted.address_;
        },
        send: (to, what, options) => host.send_(outgoing(to, what, options)),
        sendReliably: async (to, what, options) => settled(outgoing(to, what, options, flagReliable)),
        sendWithReceipt: async (to, what, options) => settled(outgoing(to, what, options, flagReceipt)),
        request: (to, what, { timeout = requestTimeout } = {}) =>
            new Promise((resolve, reject) => {
                const id = String(++lastId);
                const callee_ = asAddress(to);
                const timer = setTimeout(() => settle_(new MbusError("timed-out", "the request was not answered in time")), timeout);
                const settle_ = (failure: unknown, reply?: Reply) => {
                    clearTimeout(timer);
                    calls.delete(id);
                    if (reply) resolve(reply);
                    else reject(failure);
                };
                // The outcome of sending matters only when it failed: the answer may even come first.
                entity.sendReliably(to, callCommand(what, id)).catch(settle_);
                calls.set(id, { name_: what.name + returnSuffix, callee_, settle_ });
            }),
        handle(globs, handler) {
            const rule: [string, CallHandler] = [globs, handler];
            rules.add(rule);
            return () => void rules.delete(rule);
        },
        listen: listen as Entity["listen"],
        async grant({ commands: command, expiry: wanted, uses: most } = {}) {
            const fields: Fields = { entity: hosted.address_, command, expiry: wanted, uses: most };
            const { url = "", expiry, uses } = await host.request_("grant", fields);
            return { url, expiry, uses };
        },
        async detach() {
            if (!ended) await host.request_("detach", { about });
            hosted.end_(new MbusError("no-entity", "the entity was detached"));
        },
    };
    const hosted: HostedEntity = {
        entity_: entity,
        address_,
        mode_,
        // One message from the daemon.
        deliver_(frame, ack, nak) {
            const message = new Message(frame, ack, nak);
            if (consumeAll(message)) return;
            if (listener) return void hand(message);
            // The daemon may still deliver what waited there when the entity was detached.
            if (ended) return void (mode_ === "queue" ? nak() : ack());
            inbox.push(message);
            wake();
        },
        // Iterators end, open requests fail.
        end_(failure) {
            ended ??= failure;
            calls.forEach(({ settle_ }) => settle_(failure));
            wake();
        },
    };
    return hosted;
}
