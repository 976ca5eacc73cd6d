// An entity that the daemon hosts for this program; what it sends and what comes for it.
//
//     const me = await bus.attach("(app:ui)");
//     me.send("(app:player)", command("player.play", "song.mp3"));
//     const { matched } = await me.sendReliably("(app:player)", "player.stop()");
//     const reply = await me.request("(module:mbusd)", command("mbusd.status"));
//     me.handle("ui.*", async (call) => [42]);
//     me.listen(async (message) => { ... });        // acknowledged when the promise is fulfilled
//     for await (const message of me.listen()) ...  // acknowledged when the next one is asked for
import { Address, addressText } from "./address.js";
import { asMbusError, MbusError } from "./errors.js";
import { Fifo } from "./fifo.js";
import { Fields, Frame } from "./frame.js";
import { encodePayload, fits, globMatches, Message, Payload, SendOptions } from "./message.js";
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

// What an entity needs of its connection.
export interface Host {
    send(what: Outgoing): void;
    request(verb: string, fields: Fields): Promise<Fields>;
    entities(): number;
    report(event: "error" | "refused", what: unknown): void;
    after(ms: number, action: () => void): () => void; // returns what cancels it
}

type Listener = (message: Message) => unknown;
interface OpenCall {
    name: string;
    callee: string;
    settle(failure: unknown, reply?: Reply): void;
}

// RFC 3259 has no time limit; this is that of the other clients.
const requestTimeout = 10_000;

export class Entity {
    private listener_?: Listener;
    private inbox_ = new Fifo<Message>();
    private wakes_: (() => void)[] = [];
    private calls_ = new Map<string, OpenCall>();
    private rules_: [globs: string, handler: CallHandler][] = [];
    private lastId_ = 0;
    private detached_ = false;

    constructor(
        private readonly host_: Host,
        // With its `id`; another one after a new session.
        public address: string,
        readonly mode: string,
        private readonly number_: number, // of its attach request
    ) {}

    // --- sending ------------------------------------------------------------------------------

    // To all entities that fit; no outcome is told. Refusals come as event `refused` of the connection. Throws
    // overflow, too-large, bad-address, bad-command, bad-value.
    send(to: Destination, what: Payload, options: SendOptions = {}): void {
        this.host_.send(this.outgoing_(to, what, options));
    }

    // To exactly one entity, acknowledged by it. Rejects with no-match, not-unique, not-acknowledged, ...
    sendReliably(to: Destination, what: Payload, options: SendOptions = {}): Promise<Receipt> {
        return this.settled_({ ...this.outgoing_(to, what, options), reliable: true });
    }

    // Like send(), and tells how many entities matched; 0 is not an error.
    sendWithReceipt(to: Destination, what: Payload, options: SendOptions = {}): Promise<Receipt> {
        return this.settled_({ ...this.outgoing_(to, what, options), receipt: true });
    }

    // A URL under which others reach this entity with the commands that fit.
    async grant(what: { commands?: string; expiry?: number; uses?: number } = {}): Promise<Grant> {
        const { commands: command, expiry, uses } = what;
        const fields = await this.host_.request("grant", { entity: this.address, command, expiry, uses });
        return { url: fields.url ?? "", expiry: fields.expiry, uses: fields.uses };
    }

    private outgoing_(to: Destination, what: Payload, { ttl, time }: SendOptions): Outgoing {
        const { type, body } = encodePayload(what);
        const fields: Fields = { to: addressText(to), type, ttl, time };
        if (this.detached_) throw new MbusError("no-entity", `${this.address} was detached`);
        // Read when it is sent: the address may be another one in a new session.
        const from = () => (this.host_.entities() > 1 ? this.address : undefined);
        Object.defineProperty(fields, "from", { get: from, enumerable: true });
        return { verb: "message", fields, body };
    }

    private settled_(what: Outgoing): Promise<Receipt> {
        return new Promise((resolve, reject) => {
            what.settle = (failure, { matched = 0, entity, tried, took }) =>
                failure ? reject(failure) : resolve({ matched, entity, tried, took });
            this.host_.send(what);
        });
    }

    // --- requests -----------------------------------------------------------------------------

    // Asks exactly one entity and waits for its answer. Rejects as sendReliably(), with remote-failed and the
    // callee's text, or timed-out.
    request(to: Destination, what: Command, { timeout = requestTimeout } = {}): Promise<Reply> {
        const id = String(++this.lastId_);
        return new Promise((resolve, reject) => {
            const cancel = this.host_.after(timeout, () =>
                settle(new MbusError("timed-out", "the request was not answered in time")),
            );
            const settle = (failure: unknown, reply?: Reply) => {
                cancel();
                if (!this.calls_.delete(id)) return;
                if (reply) resolve(reply);
                else reject(failure);
            };
            this.calls_.set(id, { name: what.name + returnSuffix, callee: addressText(to), settle });
            // Its outcome matters only when it failed: the answer may even come first.
            Promise.resolve()
                .then(() => this.sendReliably(to, callCommand(what, id)))
                .catch(settle);
        });
    }

    // Answers requests whose names fit the globs; returns what ends it. What the handler throws is the
    // caller's failure.
    handle(globs: string, handler: CallHandler): () => void {
        const rule: [string, CallHandler] = [globs, handler];
        this.rules_.push(rule);
        return () => void (this.rules_ = this.rules_.filter((each) => each !== rule));
    }

    // True when the command was for this client and not for the program; `done` follows a request's answer.
    private consume_(message: Message, what: Command, busy: Promise<unknown>[]): boolean {
        const { name } = what;
        const call = name.endsWith(returnSuffix) ? this.calls_.get(idOf(what)) : undefined;
        if (call?.name === name && fits(message.from, call.callee)) {
            try {
                call.settle(undefined, readAnswer(what, message.from));
            } catch (failure) {
                call.settle(failure);
            }
            return true;
        }
        if (!this.rules_.length || !isCall(what)) return false;
        const handler = [...this.rules_].reverse().find(([globs]) => globMatches(globs, name))?.[1];
        // A call to a group is answered by those who know it.
        if (!handler && !message.reliable && message.to !== this.address) return false;
        busy.push(this.answer_(message, what, handler));
        return true;
    }

    private async answer_({ from, to }: Message, what: Command, handler?: CallHandler): Promise<void> {
        let answer: Command;
        try {
            if (!handler) throw new MbusError("not-found", `unknown request ${what.name}`);
            const args = what.args[1] as Command["args"];
            answer = answerCommand(what, await handler({ from, to, name: what.name, args }));
            encodePayload(answer);
        } catch (failure) {
            answer = answerCommand(what, asMbusError(failure));
        }
        await this.sendReliably(from, answer).catch((failure) => this.host_.report("refused", failure));
    }

    // --- receiving ------------------------------------------------------------------------------

    // With a callback: it is called for each message in the order of arrival, without waiting for the ones
    // before; returns what ends it. Without: messages to iterate over, one at a time.
    listen(): AsyncIterableIterator<Message>;
    listen(callback: Listener): () => void;
    listen(callback?: Listener): AsyncIterableIterator<Message> | (() => void) {
        if (!callback) return this.messages_();
        this.listener_ = callback;
        while (this.inbox_.length && this.listener_) void this.hand_(this.inbox_.shift()!);
        return () => {
            if (this.listener_ === callback) this.listener_ = undefined;
        };
    }

    private async *messages_(): AsyncIterableIterator<Message> {
        while (!this.detached_ || this.inbox_.length) {
            const message = this.inbox_.shift();
            if (!message) {
                await new Promise<void>((wake) => this.wakes_.push(wake));
                continue;
            }
            try {
                yield message;
            } finally {
                message.ack(); // the loop went on, or was left
            }
        }
    }

    // One message from the daemon.
    deliver(frame: Frame, ack: () => void, nak: (failure: MbusError) => void): void {
        const give = (reason = "the reader gave it back") => nak(new MbusError("internal", reason));
        const message = new Message(frame, ack, give);
        if ((this.calls_.size || this.rules_.length) && !message.monitor && this.consumeAll_(message)) return;
        if (this.listener_) return void this.hand_(message);
        // The daemon may still deliver what waited there when the entity was detached.
        if (this.detached_) return this.mode === "queue" ? message.nak() : message.ack();
        this.inbox_.push(message);
        this.wake_();
    }

    private wake_(): void {
        for (const wake of this.wakes_.splice(0)) wake();
    }

    // Answers and requests go no further; true when nothing else is in the message.
    private consumeAll_(message: Message): boolean {
        const busy: Promise<unknown>[] = [];
        let rest: Command[];
        try {
            const all = message.commands;
            rest = all.filter((each) => !this.consume_(message, each, busy));
            if (rest.length || !all.length) {
                message.keepOnly(rest);
                return false;
            }
        } catch {
            return false; // no commands: the program sees what came
        }
        void Promise.all(busy).then(message.ack);
        return true;
    }

    private async hand_(message: Message): Promise<void> {
        try {
            await this.listener_!(message);
        } catch (failure) {
            this.host_.report("error", failure);
            if (this.mode === "queue") return message.nak(asMbusError(failure).message);
        }
        message.ack();
    }

    // --- its end --------------------------------------------------------------------------------

    // Leaves the bus. What waits is still delivered.
    async detach(): Promise<void> {
        if (this.detached_) return;
        await this.host_.request("detach", { about: this.number_ });
        this.end(new MbusError("cancelled", `${this.address} was detached`));
    }

    // Iterators end, open requests fail.
    end(failure: MbusError): void {
        this.detached_ = true;
        for (const call of [...this.calls_.values()]) call.settle(failure);
        this.wake_();
    }
}
