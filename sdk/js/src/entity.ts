// An entity that the daemon hosts for this program; what it sends and what comes for it.
//
//     const me = await bus.attach("(app:ui)");
//     me.send("(app:player)", command("player.play", "song.mp3"));
//     const { matched } = await me.sendReliably("(app:player)", "player.stop()");
//     const reply = await me.request("(module:mbusd)", command("mbusd.status"));
//     me.listen(async (message) => { ... });        // acknowledged when the promise is fulfilled
//     for await (const message of me.listen()) ...  // acknowledged when the next one is asked for
import { Address, asAddress } from "./address.js";
import { asMbusError, MbusError } from "./errors.js";
import { Fields, flagReceipt, flagReliable, Frame } from "./frame.js";
import { requestTimeout } from "./limits.js";
import { encodePayload, makeMessage, Message, Payload, SendOptions } from "./message.js";
import { callCommand, idOf, readAnswer, Reply, returnSuffix } from "./rpc.js";
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
// Takes a command for itself, or not (falsy). What it returns may be a promise of the end of its work.
export type Filter = (what: Command, message: Message) => unknown;

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
    // Shows each command that comes to `filter`, before any listener; what it takes goes no further. Returns
    // what ends it. handle() of @mbus/client/handle is made of this.
    intercept(filter: Filter): () => void;

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
    readonly mode_?: string;
    deliver_(frame: Frame, ack: () => void, nak: (reason?: string) => void): void;
    end_(failure: MbusError): void;
}

// Puts `what` into the set; returns what takes it out.
export function enter<What>(all: Set<What>, what: What): () => void {
    all.add(what);
    return () => void all.delete(what);
}

export function makeEntity(host: Host, address_: string, mode_: string | undefined, about: number): HostedEntity {
    let listener: Listener | undefined;
    let ended: MbusError | undefined; // why nothing is sent any more
    let lastId = 0;
    const inbox: Message[] = []; // the window bounds it
    const wakes: (() => void)[] = [];
    const calls = new Set<(failure: MbusError) => void>(); // that wait for their answers
    const filters = new Set<Filter>();

    const send = (to: Destination, what: Payload, { ttl, time }: SendOptions = {}, flags_ = 0, settle_?: Outgoing["settle_"]) => {
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
        host.send_({ verb_: "message", fields_, body_, flags_, settle_ });
    };
    const sendFor = (flags: number) => (to: Destination, what: Payload, options?: SendOptions) =>
        new Promise<Receipt>((resolve, reject) =>
            send(to, what, options, flags, (failure, { about, missed, ...receipt }) =>
                failure ? reject(failure) : resolve({ matched: 0, ...receipt }),
            ),
        );

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
    // What filters take goes no further; true when nothing else is in the message.
    const consumed = (message: Message): boolean => {
        const busy: unknown[] = [];
        const takes = (what: Command) => (filter: Filter) => {
            const work = filter(what, message);
            return work && busy.push(work);
        };
        try {
            if (!message.monitor && filters.size) {
                message.commands = message.commands.filter((each) => ![...filters].some(takes(each)));
            }
        } catch {
            // No commands: the program sees what came.
        }
        if (!busy.length || message.commands.length) return false;
        Promise.all(busy)
            .catch((failure) => host.report_("refused", failure))
            .then(message.ack);
        return true;
    };
    const wake = () => wakes.splice(0).forEach((each) => each());
    async function* messages(): AsyncIterableIterator<Message> {
        while (inbox.length || !ended) {
            const message = inbox.shift();
            try {
                if (message) yield message;
                else await new Promise<void>((resolve) => wakes.push(resolve));
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
        send,
        sendReliably: sendFor(flagReliable),
        sendWithReceipt: sendFor(flagReceipt),
        async request(to, what, { timeout = requestTimeout } = {}) {
            const id = `${++lastId}`;
            const callee = asAddress(to);
            let end!: () => void;
            return new Promise<Reply>((resolve, reject) => {
                const timer = setTimeout(reject, timeout, new MbusError("timed-out", "no answer in time"));
                const stop = entity.intercept((answer, { from }) => {
                    if (answer.name !== what.name + returnSuffix || idOf(answer) !== id) return;
                    if (!new Address(from).answersTo(callee)) return;
                    try {
                        resolve(readAnswer(answer, from));
                    } catch (failure) {
                        reject(failure);
                    }
                    return true;
                });
                end = () => {
                    clearTimeout(timer);
                    calls.delete(reject);
                    stop();
                };
                calls.add(reject);
                // The outcome of sending matters only when it failed: the answer may even come first.
                entity.sendReliably(to, callCommand(what, id)).catch(reject);
            }).finally(end);
        },
        intercept: (filter) => enter(filters, filter),
        listen: listen as Entity["listen"],
        async grant({ commands: command, ...limits } = {}) {
            const { request, ...grant } = await host.request_("grant", { entity: hosted.address_, command, ...limits });
            return grant as Grant;
        },
        async detach() {
            if (!ended) await host.request_("detach", { about });
            hosted.end_(new MbusError("no-entity", "it was detached"));
        },
    };
    const hosted: HostedEntity = {
        entity_: entity,
        address_,
        mode_,
        // One message from the daemon.
        deliver_(frame, ack, nak) {
            const message = makeMessage(frame, ack, nak);
            if (consumed(message)) return;
            if (listener) return void hand(message);
            // The daemon may still deliver what waited there when the entity was detached.
            if (ended) return void (mode_ === "queue" ? nak() : ack());
            inbox.push(message);
            wake();
        },
        // Iterators end, open requests fail.
        end_(failure) {
            ended ??= failure;
            calls.forEach((each) => each(failure));
            wake();
        },
    };
    return hosted;
}
