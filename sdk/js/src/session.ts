// The client's side of an MBWS session (docs/mbws.md, sections 3 and 4), without I/O: it is given a clock and
// what comes, and its output is drained.
//
//     const session = makeSession(options, handler);
//     session.connect_();                           // for each connection: writes `connect`
//     for (const data of session.output_()) socket.send(data);
//     session.receive_(data);                       // calls the handler
//     session.lost_();                              // the connection broke: connect_() again later
//
// Numbers, window, acknowledgements and resume are its business: what was not acknowledged is sent again,
// what comes again is dropped. The handler may call the session.
import { asMbusError, fail, failureOf, MbusError } from "./errors.js";
import { Codec, emptyBody, Fields, flagRedelivered, Frame } from "./frame.js";
import { makeRequests, RequestEvents } from "./requests.js";

export type Data = Uint8Array | string;

export interface SessionOptions {
    now_(): number; // ms of any monotonic clock
    hello_: Fields; // of `connect`: version, name, auth, window, size, expiry, durable
    binding_: Codec;
    silence_: number; // ms without a frame after which a connection is given up
    queueOctets_: number;
    queueMessages_: number;
}

// A message on its way to the broker.
export interface Outgoing {
    verb_: "message" | "nak";
    fields_: Fields;
    body_: Uint8Array;
    flags_: number;
    // Its outcome: the receipt's fields, or why there was none. Called once at most.
    settle_?(failure: MbusError | undefined, receipt: Fields): void;
    // The broker has taken it over.
    taken_?(): void;
}

export interface SessionHandler {
    // `lost`: of the session before, sent and not acknowledged; their fate is unknown.
    connected_(fields: Fields, resumed: boolean, lost: Outgoing[]): void;
    // The connection is to be closed.
    fault_(failure: MbusError): void;
    // The session ended in order: close the connection.
    closed_(): void;
    // takeOver_() or refuse_() must follow.
    message_(frame: Frame, delivery: Delivery): void;
    missed_(messages: number): void;
    // A message for which no outcome was wanted was refused.
    refused_(failure: MbusError): void;
}

// Names a message that was handed to the application.
export interface Delivery {
    readonly number_: number;
    readonly epoch_: number; // of which session
    settled_?: boolean; // taken over, or given back
}

export type Session = ReturnType<typeof makeSession>;

const ackDelay = 20; // ms (docs/mbws.md, section 4)
const reasonMost = 1000; // characters of why a message is given back

const wrong = (what: string): never => fail("bad-frame", `the daemon sent ${what}`);
const isMessage = ({ verb_ }: Outgoing) => verb_ === "message";
// Octets of the frame, or a few more.
const sizeOf = ({ fields_: { to }, body_ }: Outgoing) => body_.length + `${to}`.length + 400;

export function makeSession(options: SessionOptions, handler: SessionHandler) {
    const { now_: now, hello_: hello, binding_: binding, silence_: silence } = options;
    let alive = false; // there is a connection
    let open = false; // ... and the broker has answered `connect`
    let out: Data[] = [];
    let token: string | undefined; // of the session; a secret
    let epoch = 0;
    let heard = 0;
    let pinged = false;
    let closeWanted = false;
    let closeWritten = false;

    // What goes out: `kept` is not acknowledged; its first `transmitted` have the numbers from acknowledged + 1
    // on, its first `sent` were sent on this connection.
    const kept: Outgoing[] = [];
    let keptOctets = 0;
    let acknowledged = 0;
    let transmitted = 0;
    let sent = 0;
    let peerWindow = 0;
    let peerSize = hello.size!;
    const results = new Map<number, Outgoing>(); // by number: outcomes that are to come

    // What comes: all up to `received` was seen, all up to `taken` was handled, and `done` beyond it.
    let received = 0;
    let taken = 0;
    let ackSent = 0;
    let ackDue = Infinity;
    const done = new Set<number>();

    const write = (verb: string, number = 0, fields: Fields = {}, body = emptyBody, flags = 0) =>
        void out.push(binding.encode({ verb, flags, number, fields, body }));
    const requests = makeRequests(write);

    // --- what goes out ----------------------------------------------------------------------------

    const writeAck = () => {
        ackSent = taken;
        ackDue = Infinity;
        write("ack", taken);
    };
    // Sends what waits, as far as the window reaches; `close` when nothing is left.
    const pump = () => {
        if (!open || closeWritten || requests.reattaching_()) return; // then `from` is not known yet
        for (; sent < kept.length && sent < peerWindow; ++sent) {
            const next = kept[sent];
            const number = acknowledged + sent + 1;
            const again = sent < transmitted;
            if (!again) {
                ++transmitted;
                if (next.settle_) results.set(number, next);
            }
            write(next.verb_, number, next.fields_, next.body_, next.flags_ | (again ? flagRedelivered : 0));
        }
        if (!closeWanted || kept.length) return;
        if (taken > ackSent) writeAck();
        write("close");
        closeWritten = true;
    };
    const keep = (what: Outgoing) => {
        kept.push(what);
        keptOctets += sizeOf(what);
        pump();
    };
    const dropAcknowledged = (upTo: number) => {
        const gone = kept.splice(0, Math.min(upTo - acknowledged, transmitted));
        const { length } = gone;
        acknowledged += length;
        transmitted -= length;
        sent = Math.max(0, sent - length);
        for (const each of gone) {
            keptOctets -= sizeOf(each);
            each.taken_?.();
        }
    };

    // --- life -------------------------------------------------------------------------------------

    const giveUp = (which: Iterable<Outgoing>) => {
        for (const { settle_ } of which) settle_?.(new MbusError("disconnected", "the session ended; its fate is unknown"), {});
    };
    // The broker knows nothing of what was before. What was sent may or may not have been routed: it is given
    // up and returned. What was not sent goes out in the new session, but for naks, which speak of the old one.
    const forgetSession = () => {
        const waiting = kept.splice(0);
        const unknown = new Set([...results.values(), ...waiting.splice(0, transmitted)]);
        results.clear();
        done.clear();
        keptOctets = transmitted = sent = acknowledged = received = taken = 0;
        ++epoch;
        waiting.filter(isMessage).forEach(keep);
        giveUp(unknown);
        return [...unknown].filter(isMessage);
    };
    const end = () => {
        alive = open = false;
        token = undefined;
        forgetSession();
        giveUp(kept.splice(0));
        requests.giveUp_();
        handler.closed_();
    };
    const fault = (failure: unknown) => {
        alive = open = false;
        handler.fault_(asMbusError(failure));
    };

    // --- what comes -------------------------------------------------------------------------------

    const noteTaken = () => {
        if (!open || taken <= ackSent) return;
        if (taken - ackSent >= hello.window! / 4) writeAck();
        else ackDue = Math.min(ackDue, now() + ackDelay);
    };
    const complete = ({ number_, epoch_ }: Delivery) => {
        if (epoch_ !== epoch) return; // of a session that is no more
        done.add(number_);
        while (done.delete(taken + 1)) ++taken;
        noteTaken();
    };
    const settle = (about: number, failure: MbusError | undefined, fields: Fields) => {
        const wanted = results.get(about);
        results.delete(about);
        if (wanted) wanted.settle_!(failure, fields);
        else if (failure) handler.refused_(failure);
    };
    const tellMissed = ({ missed }: Fields) => missed && handler.missed_(Number(missed));
    const onNumbered = (frame: Frame) => {
        const { verb, fields } = frame;
        const number_ = Number(frame.number);
        if (number_ && number_ <= received) return void (ackDue = now()); // again: the ack was lost with a connection
        if (number_ !== ++received) wrong("a number too early");
        const delivery = { number_, epoch_: epoch };
        tellMissed(fields);
        if (verb === "message") {
            if (!fields.code) return handler.message_(frame, delivery);
            handler.missed_(1); // it had a number when it had to go: nothing to hand on
        } else settle(Number(fields.about), verb === "nak" || fields.code ? failureOf(fields) : undefined, fields);
        complete(delivery);
    };
    const onConnected = (fields: Fields) => {
        if (fields.version !== 1) fail("bad-version", "the daemon speaks another version of MBWS");
        const resumed = !!token && !!fields.resumed;
        let lost: Outgoing[] = [];
        if (resumed) dropAcknowledged(Number(fields.received ?? 0));
        else lost = forgetSession();
        peerWindow = fields.window ?? 1;
        peerSize = fields.size ?? peerSize;
        token = fields.session;
        ackSent = taken; // `received` has said so
        if (resumed) requests.restartWatches_();
        else requests.sendAll_(true);
        open = true;
        handler.connected_(fields, resumed, lost);
        tellMissed(fields);
        noteTaken();
    };
    const dispatch = (frame: Frame) => {
        const { verb, fields, body } = frame;
        const number = Number(frame.number);
        if (verb === "error") throw failureOf(fields);
        if (open === (verb === "connected")) wrong(`'${verb}' at the wrong time`);
        if (!open) onConnected(fields);
        else if (verb === "message" || verb === "receipt" || (verb === "nak" && fields.about)) onNumbered(frame);
        else if (verb === "ok" || verb === "nak" || verb === "entity") requests.answered_(verb, fields);
        else if (verb === "ping") write("pong", number, {}, body);
        else if (verb === "close") return end();
        else if (verb === "ack" && number <= acknowledged + transmitted) dropAcknowledged(number);
        else if (verb !== "pong") wrong(`a wrong '${verb}'`);
        pump();
    };
    // Half of the silence that is borne passes before the daemon is asked whether it is there.
    const isLate = () => pinged || !open;
    const silentUntil = () => heard + silence / (isLate() ? 1 : 2);

    return {
        connected_: () => open,
        // Messages that were not acknowledged, or wait to be sent.
        waiting_: () => kept.length,

        connect_() {
            alive = true;
            open = pinged = closeWritten = false;
            out = [];
            heard = now();
            write("connect", 0, { ...hello, session: token, received: token ? taken : undefined });
            requests.connectionStarts_();
            requests.sendAll_(!token);
        },
        lost_() {
            alive = open = false;
            out = [];
            sent = 0;
            ackDue = Infinity;
            if (closeWritten) end();
        },
        receive_(data: Data) {
            if (!alive) return;
            heard = now();
            pinged = false;
            try {
                dispatch(binding.decode(data));
            } catch (failure) {
                fault(failure);
            }
        },
        // What is to be sent, in order.
        output_: () => out.splice(0),
        // Waits for all acknowledgements, then says `close`; handler.closed_() follows.
        close_() {
            closeWanted = true;
            pump();
        },
        // Gives up what is open.
        end_: end,
        advance_() {
            if (open && ackDue <= now()) writeAck();
            if (!alive || now() < silentUntil()) return;
            if (isLate()) return fault(new MbusError("timed-out", "nothing was heard from the daemon for too long"));
            pinged = true;
            write("ping");
        },
        // When advance_() has something to do.
        deadline_: () => (alive ? Math.min(ackDue, silentUntil()) : Infinity),

        // attach, detach, watch, grant or revoke; returns its number.
        request_: (verb: string, fields: Fields, events: RequestEvents) => requests.add_(verb, fields, events, alive),
        // Throws overflow, too-large, or cancelled after close_().
        send_(what: Outgoing) {
            const size = sizeOf(what);
            if (closeWanted) fail("cancelled", "the connection was closed");
            if (size > peerSize) fail("too-large", `the daemon takes messages of ${peerSize} octets at most`);
            if (keptOctets + size > options.queueOctets_ || kept.length >= options.queueMessages_) {
                fail("overflow", "more waits than may: await drained() before sending more");
            }
            keep(what);
        },
        // The application has handled the message.
        takeOver_(which: Delivery) {
            if (!which.settled_) complete(which);
            which.settled_ = true;
        },
        // The application gives the message back (queues: another reader gets it). It counts as taken over when
        // the broker knows.
        refuse_(which: Delivery, why: string) {
            if (which.settled_ || which.epoch_ !== epoch) return;
            which.settled_ = true;
            const text = why.replace(/[\0-\x1f\x7f]/g, " ").slice(0, reasonMost);
            const fields_: Fields = { about: which.number_, code: "internal", text };
            keep({ verb_: "nak", fields_, body_: emptyBody, flags_: 0, taken_: () => complete(which) });
        },
    };
}
