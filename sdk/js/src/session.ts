// The client's side of an MBWS session (docs/mbws.md, sections 3 and 4), without I/O: it is told the time
// (milliseconds of any monotonic clock) and given what comes, and its output is drained.
//
//     const session = makeSession(options, handler);
//     session.connect_(now);                        // for each connection: writes `connect`
//     for (const data of session.output_()) socket.send(data);
//     session.receive_(now, data);                  // calls the handler
//     session.lost_();                              // the connection broke: connect_() again later
//
// Numbers, window, acknowledgements and resume are its business: what was not acknowledged is sent again,
// what comes again is dropped. The handler may call the session.
import { asMbusError, fail, MbusError } from "./errors.js";
import { Codec, emptyBody, Fields, flagRedelivered, Frame } from "./frame.js";
import { makeRequests, RequestEvents } from "./requests.js";

export type Data = Uint8Array | string;

export interface SessionOptions {
    fields: Fields; // of `connect`: version, name, auth, window, size, expiry, durable
    binding: Codec;
    silence: number; // ms without a frame after which a connection is given up
    queueOctets: number;
    queueMessages: number;
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
    // The connection is to be closed; `again`: connecting again may help.
    fault_(failure: MbusError, again: boolean): void;
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
}

export type Session = ReturnType<typeof makeSession>;

const ackDelay = 20; // ms (docs/mbws.md, section 4)

// True for codes after which connecting again would meet the same end (docs/mbws.md, section 6).
export const isFinal = ({ code }: MbusError): boolean =>
    /^(taken-over|unauthorized|forbidden|bad-version|bad-frame|too-large|window)$/.test(code);

const unknownFate = () => new MbusError("disconnected", "the session ended; the message may have been delivered");
const failureOf = ({ code = "internal", text }: Fields) => new MbusError(code, text);

// Octets of the frame, or a few more.
const sizeOf = ({ fields_: { to = "", type = "" }, body_ }: Outgoing) => body_.length + to.length + type.length + 400;

export function makeSession(options: SessionOptions, handler: SessionHandler) {
    const { silence, binding } = options;
    const ownWindow = options.fields.window!;
    let alive = false; // there is a connection
    let open = false; // ... and the broker has answered `connect`
    let out: Data[] = [];
    let token = ""; // of the session; a secret
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
    let peerSize = options.fields.size!;
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

    const keep = (what: Outgoing) => {
        kept.push(what);
        keptOctets += sizeOf(what);
    };
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
            if (next.settle_ && !again) results.set(number, next);
            write(next.verb_, number, next.fields_, next.body_, next.flags_ | (again ? flagRedelivered : 0));
            if (!again) ++transmitted;
        }
        if (!closeWanted || kept.length) return;
        if (taken > ackSent) writeAck();
        write("close");
        closeWritten = true;
    };
    const dropAcknowledged = (upTo: number) => {
        const gone = kept.splice(0, Math.min(upTo - acknowledged, transmitted));
        acknowledged += gone.length;
        transmitted -= gone.length;
        sent = Math.max(0, sent - gone.length);
        for (const each of gone) {
            keptOctets -= sizeOf(each);
            each.taken_?.();
        }
    };

    // --- life -------------------------------------------------------------------------------------

    // The broker knows nothing of what was before. What was sent may or may not have been routed: it is given
    // up and returned. What was not sent goes out in the new session, but for naks, which speak of the old one.
    const forgetSession = () => {
        const waiting = kept.splice(0);
        const unknown = new Set([...results.values(), ...waiting.splice(0, transmitted)]);
        results.clear();
        done.clear();
        keptOctets = transmitted = sent = acknowledged = received = taken = 0;
        ++epoch;
        waiting.filter(({ verb_ }) => verb_ === "message").forEach(keep);
        for (const each of unknown) each.settle_?.(unknownFate(), {});
        return [...unknown].filter(({ verb_ }) => verb_ === "message");
    };
    const end = () => {
        alive = open = false;
        token = "";
        forgetSession();
        for (const each of kept.splice(0)) each.settle_?.(unknownFate(), {});
        requests.giveUp_(new MbusError("cancelled", "the connection was closed"));
        handler.closed_();
    };
    const fault = (failure: MbusError, again = true) => {
        alive = open = false;
        handler.fault_(failure, again);
    };

    // --- what comes -------------------------------------------------------------------------------

    const takeOver = (now: number, { number_, epoch_ }: Delivery) => {
        if (epoch_ !== epoch || number_ <= taken) return; // of a session that is no more
        done.add(number_);
        while (done.delete(taken + 1)) ++taken;
        noteTaken(now);
    };
    const noteTaken = (now: number) => {
        if (!open || taken <= ackSent) return;
        if (taken - ackSent >= Math.max(1, ownWindow / 4)) writeAck();
        else ackDue = Math.min(ackDue, now + ackDelay);
    };
    const settle = (about: number, verb: string, fields: Fields) => {
        const failure = verb === "nak" || fields.code ? failureOf(fields) : undefined;
        const wanted = results.get(about);
        results.delete(about);
        if (wanted) wanted.settle_!(failure, fields);
        else if (failure) handler.refused_(failure);
    };
    const onNumbered = (now: number, frame: Frame) => {
        const { verb, fields } = frame;
        const number_ = Number(frame.number);
        if (number_ && number_ <= received) {
            ackDue = now; // again: the ack was lost with a connection
            return;
        }
        if (number_ !== received + 1) fail("bad-frame", "the daemon skipped a number");
        ++received;
        const delivery = { number_, epoch_: epoch };
        if (fields.missed) handler.missed_(Number(fields.missed));
        if (verb === "message" && !fields.code) return handler.message_(frame, delivery);
        if (verb === "message") handler.missed_(1); // it had a number when it had to go: nothing to hand on
        else settle(Number(fields.about), verb, fields);
        takeOver(now, delivery);
    };
    const onConnected = (now: number, fields: Fields) => {
        if (fields.version !== 1 || !fields.session || !fields.window) {
            return fault(new MbusError("bad-version", "the daemon speaks another version of MBWS"), false);
        }
        const resumed = !!token && !!fields.resumed;
        let lost: Outgoing[] = [];
        if (resumed) dropAcknowledged(Number(fields.received ?? 0));
        else lost = forgetSession();
        peerWindow = fields.window;
        peerSize = fields.size ?? peerSize;
        token = fields.session;
        ackSent = taken; // `received` has said so
        if (resumed) requests.restartWatches_();
        else requests.sendAll_(true);
        open = true;
        handler.connected_(fields, resumed, lost);
        if (fields.missed) handler.missed_(Number(fields.missed));
        noteTaken(now);
    };
    const dispatch = (now: number, frame: Frame) => {
        const { verb, fields, body } = frame;
        const number = Number(frame.number);
        if (verb === "error") {
            const failure = failureOf(fields);
            return fault(failure, !isFinal(failure));
        }
        if (open === (verb === "connected")) fail("bad-frame", `the daemon sent '${verb}' at the wrong time`);
        if (!open) onConnected(now, fields);
        else if (verb === "message" || verb === "receipt" || (verb === "nak" && fields.about)) onNumbered(now, frame);
        else if (verb === "ok" || verb === "nak" || verb === "entity") requests.answered_(verb, fields);
        else if (verb === "ping") write("pong", number, {}, body);
        else if (verb === "close") return end();
        else if (verb === "ack" && number <= acknowledged + transmitted) dropAcknowledged(number);
        else if (verb !== "pong") fail("bad-frame", `the daemon sent a wrong '${verb}'`);
        pump();
    };

    return {
        connected_: () => open,
        // Messages that were not acknowledged, or wait to be sent.
        waiting_: () => kept.length,

        connect_(now: number) {
            alive = true;
            open = pinged = closeWritten = false;
            out = [];
            heard = now;
            write("connect", 0, { ...options.fields, ...(token ? { session: token, received: taken } : {}) });
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
        receive_(now: number, data: Data) {
            if (!alive) return;
            heard = now;
            pinged = false;
            try {
                dispatch(now, binding.decode(data));
            } catch (failure) {
                fault(asMbusError(failure));
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
        advance_(now: number) {
            if (open && ackDue <= now) writeAck();
            const silent = now - heard;
            if (alive && silent >= silence) {
                fault(new MbusError("timed-out", "nothing was heard from the daemon for too long"));
            } else if (open && !pinged && silent >= silence / 2) {
                pinged = true;
                write("ping");
            }
        },
        // When advance_() has something to do.
        deadline_: () => (alive ? Math.min(ackDue, heard + (pinged || !open ? silence : silence / 2)) : Infinity),

        // attach, detach, watch, grant or revoke; returns its number.
        request_: (verb: string, fields: Fields, events: RequestEvents) => requests.add_(verb, fields, events, alive),
        // Throws overflow, too-large, or disconnected after close_().
        send_(what: Outgoing) {
            const size = sizeOf(what);
            if (closeWanted) fail("disconnected", "the connection is closed; open another");
            if (size > peerSize) fail("too-large", `the daemon takes messages of ${peerSize} octets at most`);
            if (keptOctets + size > options.queueOctets || kept.length >= options.queueMessages) {
                fail("overflow", "more waits than may: await drained() before sending more");
            }
            keep(what);
            pump();
        },
        // The application has handled the message.
        takeOver_: takeOver,
        // The application gives the message back (queues: another reader gets it). It counts as taken over when
        // the broker knows.
        refuse_(clock: () => number, which: Delivery, text: string) {
            if (which.epoch_ !== epoch) return;
            keep({
                verb_: "nak",
                fields_: { about: which.number_, code: "internal", text: text.replace(/[\0-\x1f\x7f]/g, " ").slice(0, 1000) },
                body_: emptyBody,
                flags_: 0,
                taken_: () => takeOver(clock(), which),
            });
            pump();
        },
    };
}
