// The client's side of an MBWS session (docs/mbws.md, sections 3 and 4), without I/O: it is told the time
// (milliseconds, any monotonic clock) and given what comes, and its output is drained.
//
//     const session = new Session(options, handler);
//     session.connect(now);                        // for each connection: writes `connect`
//     for (const data of session.output()) socket.send(data);
//     session.receive(now, data);                  // calls the handler
//     session.lost();                              // the connection broke: connect() again later
//
// Numbers, window, acknowledgements and resume are its business: what was not acknowledged is sent again,
// what comes again is dropped. The handler may call the session.
import { decodeBinary, encodeBinary } from "./binary_frame.js";
import { asMbusError, MbusError } from "./errors.js";
import { Fifo } from "./fifo.js";
import { emptyBody, Fields, Frame, utf8 } from "./frame.js";
import { RequestEvents, Requests } from "./requests.js";
import { decodeText, encodeText } from "./text_frame.js";

export type Data = Uint8Array | string;

export interface SessionOptions {
    name: string;
    token: string; // a secret
    window: number;
    expiry?: number; // s
    size: number; // largest frame that is taken
    durable: boolean;
    text: boolean; // the text form instead of the binary one
    silence: number; // ms without a frame after which a connection is given up
    queueOctets: number;
    queueMessages: number;
}

// A message on its way to the broker.
export interface Outgoing {
    verb: "message" | "nak";
    fields: Fields;
    body: Uint8Array;
    reliable?: boolean;
    receipt?: boolean;
    // Its outcome: the receipt's fields, or why there was none. Called once at most.
    settle?(failure: MbusError | undefined, receipt: Fields): void;
    // The broker has taken it over.
    taken?(): void;
}

export interface SessionHandler {
    // `lost`: of the session before, sent and not acknowledged; their fate is unknown.
    connected(fields: Fields, resumed: boolean, lost: Outgoing[]): void;
    // The connection is to be closed; `again`: connecting again may help.
    fault(failure: MbusError, again: boolean): void;
    // The session ended in order: close the connection.
    closed(): void;
    // takeOver() or refuse() must follow.
    message(frame: Frame, delivery: Delivery): void;
    missed(messages: number): void;
    // A message for which no outcome was wanted was refused.
    refused(what: Outgoing, failure: MbusError): void;
}

// Names a message that was handed to the application.
export interface Delivery {
    readonly number: number;
    readonly epoch: number; // of which session
}

const ackDelay = 20; // ms (docs/mbws.md, section 4)
// Connecting again would meet the same end (docs/mbws.md, section 6).
const finalCodes = ["taken-over", "unauthorized", "forbidden", "bad-version", "bad-frame", "too-large", "window"];
export const isFinal = (code: string): boolean => finalCodes.includes(code);

const unknownFate = (): MbusError =>
    new MbusError("disconnected", "the session ended before the outcome was known; the message may have been delivered");

type State = "idle" | "connecting" | "connected" | "failed";

export class Session {
    private requests_ = new Requests((frame) => this.write_(frame));
    private state_: State = "idle";
    private out_: Data[] = [];
    private token_ = ""; // of the session; a secret
    private resuming_ = false;
    private epoch_ = 0;
    private heard_ = 0;
    private pinged_ = false;
    private closeWanted_ = false;
    private closeWritten_ = false;

    // What goes out: kept_ holds what is not acknowledged; its first transmitted_ have the numbers from
    // acknowledged_ + 1 on, its first sent_ were sent on this connection.
    private kept_ = new Fifo<Outgoing>();
    private keptOctets_ = 0;
    private acknowledged_ = 0;
    private transmitted_ = 0;
    private sent_ = 0;
    private peerWindow_ = 0;
    private peerSize_: number;
    private results_ = new Map<number, Outgoing>(); // by number: outcomes that are to come

    // What comes: all up to received_ was seen, all up to taken_ was handled, and done_ beyond it.
    private received_ = 0;
    private taken_ = 0;
    private ackSent_ = 0;
    private ackDue_ = Infinity;
    private done_ = new Set<number>();

    constructor(
        private readonly options_: SessionOptions,
        private readonly handler_: SessionHandler,
    ) {
        this.peerSize_ = options_.size;
    }

    get connected(): boolean {
        return this.state_ === "connected";
    }
    // Messages that were not acknowledged, or wait to be sent.
    get waiting(): number {
        return this.kept_.length;
    }

    // --- connection ---------------------------------------------------------------------------

    connect(now: number): void {
        const { name, token, window, expiry, size, durable } = this.options_;
        const fields: Fields = { version: 1, window, size, expiry };
        if (name) fields.name = name;
        if (token) fields.auth = token;
        if (durable) fields.durable = true;
        this.resuming_ = this.token_ !== "";
        if (this.resuming_) Object.assign(fields, { session: this.token_, received: this.taken_ });
        this.state_ = "connecting";
        this.out_ = [];
        this.heard_ = now;
        this.pinged_ = this.closeWritten_ = false;
        this.write_({ verb: "connect", number: 0, fields, body: emptyBody });
        this.requests_.connectionStarts();
        this.requests_.send(!this.resuming_);
    }

    lost(): void {
        this.state_ = "idle";
        this.out_ = [];
        this.sent_ = 0;
        this.ackDue_ = Infinity;
        if (this.closeWritten_) this.end_();
    }

    // What is to be sent, in order.
    output(): Data[] {
        const out = this.out_;
        this.out_ = [];
        return out;
    }

    receive(now: number, data: Data): void {
        if (this.state_ !== "connecting" && this.state_ !== "connected") return;
        this.heard_ = now;
        this.pinged_ = false;
        try {
            this.dispatch_(now, typeof data === "string" ? decodeText(data) : decodeBinary(data));
        } catch (failure) {
            this.fail_(asMbusError(failure));
        }
    }

    // Waits for all acknowledgements, then says `close`; handler.closed() follows.
    close(): void {
        this.closeWanted_ = true;
        this.maybeClose_();
    }

    // Gives up what is open.
    end_(): void {
        this.state_ = "failed";
        this.token_ = "";
        this.forgetSession_();
        for (const each of this.kept_.drain()) each.settle?.(unknownFate(), {});
        this.requests_.giveUp(new MbusError("cancelled", "the connection was closed"));
        this.handler_.closed();
    }

    advance(now: number): void {
        if (this.state_ === "connected" && this.ackDue_ <= now) this.writeAck_();
        if (this.state_ !== "connecting" && this.state_ !== "connected") return;
        const silent = now - this.heard_;
        if (silent >= this.options_.silence) {
            this.fail_(new MbusError("timed-out", "nothing was heard from the daemon for too long"));
        } else if (silent >= this.options_.silence / 2 && !this.pinged_ && this.connected) {
            this.pinged_ = true;
            this.write_({ verb: "ping", number: 0, fields: {}, body: emptyBody });
        }
    }

    // When advance() has something to do.
    get deadline(): number {
        if (this.state_ !== "connecting" && this.state_ !== "connected") return Infinity;
        const { silence } = this.options_;
        return Math.min(this.ackDue_, this.heard_ + (this.pinged_ || !this.connected ? silence : silence / 2));
    }

    // attach, detach, watch, grant or revoke; returns its number.
    request(verb: string, fields: Fields, events: RequestEvents): number {
        return this.requests_.add(verb, fields, events, this.state_ === "connecting" || this.connected);
    }

    // --- messages that go out -------------------------------------------------------------------

    // Throws overflow, too-large, or disconnected after close().
    send(what: Outgoing): void {
        const { queueOctets, queueMessages } = this.options_;
        const size = sizeOf(what);
        if (this.closeWanted_) throw new MbusError("disconnected", "the connection is being closed; open another");
        if (size > this.peerSize_) {
            throw new MbusError("too-large", `a message of ${size} octets is more than the daemon takes, ${this.peerSize_}`);
        }
        if (this.keptOctets_ + size > queueOctets || this.kept_.length >= queueMessages) {
            const text = "the daemon does not take messages as fast as they are sent; await drained() before more";
            throw new MbusError("overflow", text);
        }
        this.keep_(what);
        this.pump_();
    }

    private keep_(what: Outgoing): void {
        this.kept_.push(what);
        this.keptOctets_ += sizeOf(what);
    }

    private pump_(): void {
        if (this.requests_.reattaching) return; // their `from` is not known yet
        while (this.connected && this.sent_ < this.kept_.length && this.sent_ < this.peerWindow_) {
            const { verb, fields, body, reliable, receipt, settle } = this.kept_.at(this.sent_)!;
            const number = this.acknowledged_ + ++this.sent_;
            const redelivered = this.sent_ <= this.transmitted_;
            if (settle && !redelivered) this.results_.set(number, this.kept_.at(this.sent_ - 1)!);
            this.transmitted_ = Math.max(this.transmitted_, this.sent_);
            this.write_({ verb, number, fields, body, reliable, receipt, redelivered });
        }
        this.maybeClose_();
    }

    private dropAcknowledged_(upTo: number): void {
        while (this.acknowledged_ < upTo && this.transmitted_ > 0) {
            const first = this.kept_.shift()!;
            ++this.acknowledged_;
            --this.transmitted_;
            this.sent_ = Math.max(0, this.sent_ - 1);
            this.keptOctets_ -= sizeOf(first);
            first.taken?.();
        }
    }

    private maybeClose_(): void {
        if (!this.closeWanted_ || this.closeWritten_ || !this.connected || this.kept_.length) return;
        if (this.taken_ > this.ackSent_) this.writeAck_();
        this.write_({ verb: "close", number: 0, fields: {}, body: emptyBody });
        this.closeWritten_ = true;
    }

    private write_(frame: Frame): void {
        const text = this.options_.text ? encodeText(frame) : undefined;
        this.out_.push(text ?? encodeBinary(frame));
    }

    // --- messages that came -----------------------------------------------------------------------

    // The application has handled the message.
    takeOver(now: number, { number, epoch }: Delivery): void {
        if (epoch !== this.epoch_ || number <= this.taken_) return; // of a session that is no more
        this.done_.add(number);
        while (this.done_.delete(this.taken_ + 1)) ++this.taken_;
        this.noteTaken_(now);
    }

    // The application gives the message back (queues: another reader gets it). It counts as taken over when the
    // broker knows.
    refuse(clock: () => number, which: Delivery, failure: MbusError): void {
        if (which.epoch !== this.epoch_) return;
        // Not counted against the queue's limits: there is one at most for each delivery in the window.
        this.keep_({
            verb: "nak",
            fields: { about: which.number, code: failure.code, text: failure.message.replace(/[\0-\x1f\x7f]/g, " ") },
            body: emptyBody,
            taken: () => this.takeOver(clock(), which),
        });
        this.pump_();
    }

    private noteTaken_(now: number): void {
        if (!this.connected || this.taken_ <= this.ackSent_) return;
        if (this.taken_ - this.ackSent_ >= Math.max(1, this.options_.window / 4)) this.writeAck_();
        else this.ackDue_ = Math.min(this.ackDue_, now + ackDelay);
    }

    private writeAck_(): void {
        this.ackSent_ = this.taken_;
        this.ackDue_ = Infinity;
        this.write_({ verb: "ack", number: this.taken_, fields: {}, body: emptyBody });
    }

    // --- input ------------------------------------------------------------------------------------

    private fail_(failure: MbusError, again = true): void {
        this.state_ = "failed";
        this.handler_.fault(failure, again);
    }

    private dispatch_(now: number, frame: Frame): void {
        const { verb, fields } = frame;
        if (verb === "error") {
            const code = fields.code ?? "internal";
            this.fail_(new MbusError(code, fields.text ?? ""), !isFinal(code));
        } else if (this.state_ === "connecting") {
            if (verb !== "connected") throw new MbusError("bad-frame", "the daemon answered connect with something else");
            this.onConnected_(now, fields);
        } else if (verb === "message" || verb === "receipt" || (verb === "nak" && fields.about !== undefined)) {
            this.onNumbered_(now, frame);
        } else if (verb === "ack") {
            this.onAck_(Number(frame.number));
        } else if (verb === "ok") {
            this.requests_.onOk(fields);
            this.pump_();
        } else if (verb === "nak") {
            this.requests_.onNak(fields);
            this.pump_();
        } else if (verb === "entity") {
            this.requests_.onEntity(fields);
        } else if (verb === "ping") {
            this.write_({ ...frame, verb: "pong" });
        } else if (verb === "close") {
            this.end_();
        } else if (verb !== "pong") {
            throw new MbusError("bad-frame", "the daemon sent a frame that only clients send, or of a later version");
        }
    }

    private onConnected_(now: number, fields: Fields): void {
        if (fields.version !== 1 || !fields.session || !fields.window) {
            return this.fail_(new MbusError("bad-version", "the daemon speaks another version of MBWS than 1"), false);
        }
        const resumed = this.resuming_ && fields.resumed === true;
        this.peerWindow_ = fields.window;
        this.peerSize_ = fields.size ?? this.options_.size;
        let lost: Outgoing[] = [];
        if (resumed) this.dropAcknowledged_(Number(fields.received ?? 0));
        else lost = this.forgetSession_();
        this.token_ = fields.session;
        this.state_ = "connected";
        this.ackSent_ = this.taken_; // `received` has said so
        this.sent_ = 0;
        if (resumed) this.requests_.restartWatches();
        else this.requests_.send(true);
        this.handler_.connected(fields, resumed, lost);
        if (fields.missed) this.handler_.missed(Number(fields.missed));
        this.noteTaken_(now);
        this.pump_();
    }

    // The broker knows nothing of what was before. What was sent may or may not have been routed: it is given
    // up and returned. What was not sent goes out in the new session, but for naks, which speak of the old one.
    private forgetSession_(): Outgoing[] {
        const lost: Outgoing[] = [];
        const waiting = this.kept_.drain();
        const unknown = new Set([...this.results_.values(), ...waiting.splice(0, this.transmitted_)]);
        this.results_.clear();
        this.keptOctets_ = this.transmitted_ = this.sent_ = this.acknowledged_ = 0;
        for (const each of waiting) {
            if (each.verb === "message") this.keep_(each);
        }
        this.received_ = this.taken_ = this.ackSent_ = 0;
        this.ackDue_ = Infinity;
        this.done_.clear();
        ++this.epoch_;
        for (const each of unknown) {
            if (each.verb === "message") lost.push(each);
            each.settle?.(unknownFate(), {});
        }
        return lost;
    }

    private onAck_(number: number): void {
        if (number > this.acknowledged_ + this.transmitted_) {
            throw new MbusError("bad-frame", "the daemon acknowledged a message that was never sent");
        }
        this.dropAcknowledged_(number);
        this.pump_();
    }

    private onNumbered_(now: number, frame: Frame): void {
        const number = Number(frame.number);
        if (number !== 0 && number <= this.received_) {
            this.ackDue_ = now; // again: the ack was lost with a connection
            return;
        }
        if (number !== this.received_ + 1) throw new MbusError("bad-frame", "the daemon skipped a number");
        this.received_ = number;
        const { fields } = frame;
        const delivery = { number, epoch: this.epoch_ };
        if (fields.missed) this.handler_.missed(Number(fields.missed));
        if (frame.verb !== "message") {
            this.settle_(Number(fields.about), frame);
        } else if (!fields.code) {
            return this.handler_.message(frame, delivery);
        } else {
            this.handler_.missed(1); // it had a number already when it had to go: nothing to hand on
        }
        this.takeOver(now, delivery);
    }

    private settle_(about: number, { verb, fields }: Frame): void {
        const failed = verb === "nak" || fields.code !== undefined;
        const failure = failed ? new MbusError(fields.code ?? "internal", fields.text ?? "") : undefined;
        const wanted = this.results_.get(about);
        if (wanted) {
            this.results_.delete(about);
            wanted.settle?.(failure, fields);
        } else if (failure && about > this.acknowledged_ && about <= this.acknowledged_ + this.transmitted_) {
            const refused = this.kept_.at(about - this.acknowledged_ - 1)!;
            if (refused.verb === "message") this.handler_.refused(refused, failure);
        }
    }
}

// Octets of the frame, or a few more.
function sizeOf({ fields, body }: Outgoing): number {
    const { to = "", from = "", type = "", text = "" } = fields;
    return body.length + to.length + from.length + type.length + utf8.encode(text).length + 64;
}
