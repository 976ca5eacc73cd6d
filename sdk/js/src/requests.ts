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
    answered_?: boolean; // false: it was in an earlier session, and is asked again
    since_?: number; // the connection on which it was asked first
}

// `write` sends one frame on the connection of the moment.
export function makeRequests(write: (verb: string, number: number, fields: Fields) => void) {
    const open = new Map<number, OpenRequest>();
    let last = 0;
    let connection = 0;

    const send = (request: OpenRequest) => {
        write(request.verb_, 0, request.fields_);
        request.since_ ??= connection;
        request.answered_ &&= false;
    };

    return {
        // Makes a request and returns its number; `online`: there is a connection.
        add_(verb: string, fields: Fields, events: RequestEvents, online: boolean): number {
            const request: OpenRequest = { verb_: verb, fields_: { request: ++last, ...fields }, events_: events };
            open.delete(Number(fields.about)); // what it undoes is not made again
            open.set(last, request);
            if (online) send(request);
            return last;
        },
        // Attaches are made again in a new session, and the entities' addresses are not known yet.
        reattaching_: () => [...open.values()].some((each) => each.verb_ === "attach" && each.answered_ === false),
        // A connection begins: asks what was not answered.
        connect_() {
            ++connection;
            open.forEach((each) => each.answered_ || send(each));
        },
        // After a resume the broker tells all that is present once more, unasked.
        connected_(resumed: boolean) {
            for (const request of open.values()) {
                if (!request.answered_) continue;
                request.events_.restarted_?.();
                if (!resumed) send(request);
            }
        },
        // `ok`, `nak` or `entity` came.
        answered_(verb: string, fields: Fields) {
            const request = open.get(fields.request!);
            if (!request) return; // undone meanwhile
            const { verb_, events_, since_ } = request;
            if (verb === "entity") return events_.entity_?.(fields);
            request.answered_ = true;
            if (verb === "nak" || (verb_ !== "attach" && verb_ !== "watch")) open.delete(fields.request!);
            // What is to be undone is gone: with its session, or the first answer was lost.
            const gone = fields.code === "not-found" && (verb_ === "detach" || (verb_ === "revoke" && since_! < connection));
            if (verb === "ok" || gone) events_.done_(fields);
            else events_.refused_(failureOf(fields));
        },
        // The session is over: nothing will be answered.
        giveUp_() {
            open.forEach(({ answered_, events_ }) => answered_ || events_.refused_(cancelled()));
            open.clear();
        },
    };
}
