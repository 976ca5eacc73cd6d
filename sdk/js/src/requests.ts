// The requests of a session (docs/mbws.md, section 3): each is repeated on every new connection until it
// was answered; attaches and watches are made again in every new session.
import { cancelled, failureOf, MbusError } from "./errors.js";
import { Fields } from "./frame.js";

export interface RequestEvents {
    // `ok` came; for an attach or watch also again after a reconnect.
    done_(fields: Fields): void;
    // `nak` came.
    refused_(failure: MbusError): void;
    // watch: one entity came or went.
    entity_?(fields: Fields): void;
    // watch: the list of what is present begins anew.
    restarted_?(): void;
}

interface OpenRequest {
    verb_: string;
    fields_: Fields;
    events_: RequestEvents;
    answered_?: boolean;
    again_?: boolean; // it was answered in an earlier session
    sent_?: boolean; // on this connection
    sentBefore_?: boolean; // on an earlier one: it may have been done already
    cancelled_?: boolean; // an attach or watch whose detach is under way
}

const undoes = ({ verb_ }: OpenRequest) => verb_ === "detach" || verb_ === "revoke";

// `write` sends one frame on the connection of the moment.
export function makeRequests(write: (verb: string, number: number, fields: Fields) => void) {
    const open = new Map<number, OpenRequest>();
    let last = 0;

    const send = (request: OpenRequest) => {
        write(request.verb_, 0, request.fields_);
        request.sent_ = true;
        request.again_ ||= request.answered_;
        request.answered_ = false;
    };
    // The request, and what it has undone.
    const forget = (number: number) => {
        open.delete(Number(open.get(number)?.fields_.about));
        open.delete(number);
    };

    return {
        // Makes a request and returns its number; `online`: there is a connection.
        add_(verb: string, fields: Fields, events: RequestEvents, online: boolean): number {
            const request: OpenRequest = { verb_: verb, fields_: { request: ++last, ...fields }, events_: events };
            const undone = open.get(Number(fields.about));
            if (undone) undone.cancelled_ = true;
            open.set(last, request);
            if (online) send(request);
            return last;
        },
        // Attaches are made again in a new session, and the entities' addresses are not known yet.
        reattaching_: () => [...open.values()].some((each) => each.verb_ === "attach" && each.again_ && !each.answered_),
        // A connection begins: nothing was asked on it.
        connectionStarts_() {
            for (const request of open.values()) {
                request.sentBefore_ ||= request.sent_;
                request.sent_ = false;
            }
        },
        // Asks what has to be asked on this connection. In a new session what undoes something of the old one is
        // done already.
        sendAll_(newSession: boolean) {
            for (const [number, request] of [...open]) {
                if (request.sent_ || (!newSession && request.answered_)) continue;
                if (newSession && (undoes(request) || request.cancelled_)) {
                    open.delete(number);
                    if (undoes(request)) request.events_.done_({});
                    continue;
                }
                if (request.answered_) request.events_.restarted_?.();
                send(request);
            }
        },
        // After a resume the broker tells all that is present once more, unasked.
        restartWatches_() {
            for (const { answered_, events_ } of [...open.values()]) if (answered_) events_.restarted_?.();
        },
        // `ok`, `nak` or `entity` came.
        answered_(verb: string, fields: Fields) {
            const request = open.get(fields.request!);
            if (!request) return; // undone meanwhile
            const { verb_, events_, sentBefore_ } = request;
            if (verb === "entity") return events_.entity_?.(fields);
            request.answered_ = true;
            if (verb === "nak" || (verb_ !== "attach" && verb_ !== "watch")) forget(fields.request!);
            // Asked twice because the first answer was lost: it is done.
            const doneBefore = undoes(request) && sentBefore_ && fields.code === "not-found";
            if (verb === "ok" || doneBefore) events_.done_(fields);
            else events_.refused_(failureOf(fields));
        },
        // The session is over: nothing will be answered.
        giveUp_() {
            for (const { answered_, events_ } of open.values()) if (!answered_) events_.refused_(cancelled());
            open.clear();
        },
    };
}
