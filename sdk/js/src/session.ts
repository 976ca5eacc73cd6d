// The client's side of an MBWS session (docs/mbws.md, sections 3 and 4), without a network: it is given what
// comes, and says what is to be written.
//
//     const session = makeSession(options, events);
//     session.connect_();         // for each connection: writes `connect`
//     session.receive_(data);     // calls the events
//     session.lost_();            // the connection broke: connect_() again later
//
// Numbers, window, acknowledgements and resume are its business: what was not acknowledged is sent again,
// what comes again is dropped. The events may call the session.
import { binary } from "./binary_frame.js";
import type { ConnectOptions } from "./connection.js";
import { asMbusError, cancelled, fail, failureOf, MbusError, wrong } from "./errors.js";
import { emptyBody, Fields, flagRedelivered, Frame } from "./frame.js";
import { ackDelay, reasonMost, sizeMost } from "./limits.js";
import { makeRequests, RequestEvents } from "./requests.js";

export type Data = Uint8Array | string;

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

export interface SessionEvents {
    // To be sent on the connection of the moment.
    write_(data: Data): void;
    // `lost`: of the session before, sent and not acknowledged; their fate is unknown.
    connected_(fields: Fields, resumed: boolean, lost: Outgoing[]): void;
    // The connection is to be closed.
    fault_(failure: MbusError): void;
    // The session ended in order: close the connection.
    closed_(): void;
    // One of the two must follow: the application has handled the message; or it gives the message back (queues:
    // another reader gets it). This counts as taken over when the broker knows.
    message_(frame: Frame, ack: () => void, nak: (why?: string) => void): void;
    missed_(messages: number): void;
    // A message for which no outcome was wanted was refused.
    refused_(failure: MbusError): void;
}

const isMessage = ({ verb_ }: Outgoing) => verb_ === "message";
// Octets of the frame, or a few more.
const sizeOf = ({ fields_: { to }, body_ }: Outgoing) => body_.length + `${to}`.length + 400;

export function makeSession(
    { token: auth, name, window = 256, expiry, durable, binding = binary, queueOctets = 8 << 20, queueMessages = 65536 }: ConnectOptions,
    events: SessionEvents,
) {
    let alive = false; // there is a connection
    let open = false; // ... and the broker has answered `connect`
    let session: string | undefined; // its token; a secret
    let epoch = 0; // which session
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
    let peerSize = sizeMost;
    const results = new Map<number, Outgoing>(); // by number: outcomes that are to come

    // What comes: all up to `received` was seen, all up to `taken` was handled, and `done` beyond it.
    let received = 0;
    let taken = 0;
    let ackSent = 0;
    let ackTimer: ReturnType<typeof setTimeout> | undefined;
    const done = new Set<number>();

    const write = (verb: string, number = 0, fields: Fields = {}, body = emptyBody, flags = 0) =>
        events.write_(binding.encode([verb, number, fields, body, flags]));
    const requests = makeRequests(write);

    // --- what goes out ----------------------------------------------------------------------------

    const stopAck = () => (ackTimer = clearTimeout(ackTimer) as undefined);
    const writeAck = () => {
        stopAck();
        write("ack", (ackSent = taken));
    };
    const ackSoon = () => (ackTimer ??= setTimeout(writeAck, ackDelay));
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
        for (const { settle_ } of which) settle_?.(new MbusError("disconnected", "the session ended, fate unknown"), {});
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
    // Nothing can be written any more.
    const disconnected = () => {
        alive = open = false;
        stopAck();
    };
    const end = () => {
        disconnected();
        session = undefined;
        forgetSession();
        giveUp(kept.splice(0));
        requests.giveUp_();
        events.closed_();
    };

    // --- what comes -------------------------------------------------------------------------------

    const noteTaken = () => {
        if (!open || taken === ackSent) return;
        if (taken - ackSent >= window / 4) writeAck();
        else ackSoon();
    };
    const tellMissed = ({ missed }: Fields) => missed && events.missed_(Number(missed));
    const onNumbered = (frame: Frame, number: number) => {
        const [verb, , fields] = frame;
        if (number && number <= received) return void ackSoon(); // again: the ack was lost with a connection
        if (number !== ++received) wrong("a number too early");
        const itsEpoch = epoch;
        let settled = false;
        const complete = () => {
            if (itsEpoch !== epoch) return; // of a session that is no more
            done.add(number);
            while (done.delete(taken + 1)) ++taken;
            noteTaken();
        };
        const ack = () => {
            if (!settled) complete();
            settled = true;
        };
        const nak = (why = "the reader gave it back") => {
            if (settled || itsEpoch !== epoch) return;
            settled = true;
            const text = why.replace(/[\0-\x1f\x7f]/g, " ").slice(0, reasonMost);
            const fields_: Fields = { about: number, code: "internal", text };
            keep({ verb_: "nak", fields_, body_: emptyBody, flags_: 0, taken_: complete });
        };
        tellMissed(fields);
        if (verb === "message") {
            if (!fields.code) return events.message_(frame, ack, nak);
            events.missed_(1); // it had a number when it had to go: nothing to hand on
        } else {
            const about = Number(fields.about);
            const failure = verb === "nak" || fields.code ? failureOf(fields) : undefined;
            const wanted = results.get(about);
            results.delete(about);
            if (wanted) wanted.settle_!(failure, fields);
            else if (failure) events.refused_(failure);
        }
        ack();
    };
    const onConnected = (fields: Fields) => {
        if (fields.version !== 1) fail("bad-version", "the daemon speaks another version");
        const resumed = !!session && !!fields.resumed;
        let lost: Outgoing[] = [];
        if (resumed) dropAcknowledged(Number(fields.received ?? 0));
        else lost = forgetSession();
        ({ session, window: peerWindow = 1, size: peerSize = peerSize } = fields);
        ackSent = taken; // `received` has said so
        requests.connected_(resumed);
        open = true;
        events.connected_(fields, resumed, lost);
        tellMissed(fields);
        noteTaken();
    };
    const dispatch = (frame: Frame) => {
        const [verb, wide, fields, body] = frame;
        const number = Number(wide);
        if (verb === "error") throw failureOf(fields);
        if (open === (verb === "connected")) wrong(`'${verb}' at the wrong time`);
        if (!open) onConnected(fields);
        else if (verb === "message" || fields.about) onNumbered(frame, number); // or the outcome of one
        else if (fields.request) requests.answered_(verb, fields);
        else if (verb === "ping") write("pong", number, {}, body);
        else if (verb === "close") return end();
        else if (verb === "ack" && number <= acknowledged + transmitted) dropAcknowledged(number);
        else if (verb !== "pong") wrong(`a wrong '${verb}'`);
        pump();
    };

    return {
        connected_: () => open,
        // Messages that were not acknowledged, or wait to be sent.
        waiting_: () => kept.length,

        connect_() {
            alive = true;
            closeWritten = false;
            write("connect", 0, {
                version: 1, name, auth, window, expiry, size: sizeMost, durable, session, received: session ? taken : undefined,
            });
            requests.connect_();
        },
        lost_() {
            disconnected();
            sent = 0;
            if (closeWritten) end();
        },
        receive_(data: Data) {
            try {
                dispatch(binding.decode(data));
            } catch (failure) {
                events.fault_(asMbusError(failure));
            }
        },
        ping_: () => write("ping"),
        // Waits for all acknowledgements, then says `close`; closed_() follows.
        close_() {
            closeWanted = true;
            pump();
        },
        // Gives up what is open.
        end_: end,

        // attach, detach, watch, grant or revoke; returns its number.
        request_: (verb: string, fields: Fields, answers: RequestEvents) => requests.add_(verb, fields, answers, alive),
        // Throws overflow, too-large, or cancelled after close_().
        send_(what: Outgoing) {
            const size = sizeOf(what);
            if (closeWanted) throw cancelled();
            if (size > peerSize) fail("too-large", `the daemon takes ${peerSize} octets at most`);
            if (keptOctets + size > queueOctets || kept.length >= queueMessages) {
                fail("overflow", "too much waits: await drained() before sending more");
            }
            keep(what);
        },
    };
}
