// The requests of a session (docs/mbws.md, section 3): each is repeated on every new connection until it
// was answered; attaches and watches are made again in every new session.
import { MbusError } from "./errors.js";
import { emptyBody, Fields, Frame } from "./frame.js";

export interface RequestEvents {
    // `ok` came; for an attach or watch also again after a reconnect.
    done(fields: Fields): void;
    // `nak` came.
    refused(failure: MbusError): void;
    // watch: one entity came or went.
    entity?(fields: Fields): void;
    // watch: the list of what is present begins anew.
    restarted?(): void;
}

interface OpenRequest {
    verb: string;
    fields: Fields;
    events: RequestEvents;
    answered: boolean;
    again: boolean; // it was answered in an earlier session
    sent: boolean; // on this connection
    sentBefore: boolean; // on an earlier one: it may have been done already
    cancelled: boolean; // an attach or watch whose detach is under way
}

const undoes = (verb: string) => verb === "detach" || verb === "revoke";
const lasts = (verb: string) => verb === "attach" || verb === "watch";

export class Requests {
    private open_ = new Map<number, OpenRequest>();
    private last_ = 0;

    // `write` sends one frame on the connection of the moment.
    constructor(private readonly write_: (frame: Frame) => void) {}

    // Makes a request and returns its number; `online`: there is a connection.
    add(verb: string, fields: Fields, events: RequestEvents, online: boolean): number {
        const number = ++this.last_;
        const request: OpenRequest = {
            verb,
            fields: { request: number, ...fields },
            events,
            answered: false,
            again: false,
            sent: false,
            sentBefore: false,
            cancelled: false,
        };
        const undone = verb === "detach" && this.open_.get(Number(fields.about));
        if (undone) undone.cancelled = true;
        this.open_.set(number, request);
        if (online) this.send_(request);
        return number;
    }

    // Attaches are made again in a new session, and the entities' addresses are not known yet.
    get reattaching(): boolean {
        return [...this.open_.values()].some(({ verb, answered, again }) => verb === "attach" && again && !answered);
    }

    private send_(request: OpenRequest): void {
        this.write_({ verb: request.verb, number: 0, fields: request.fields, body: emptyBody });
        request.sent = true;
        request.again = request.again || request.answered;
        request.answered = false;
    }

    // A connection begins: nothing was asked on it.
    connectionStarts(): void {
        for (const request of this.open_.values()) {
            request.sentBefore = request.sentBefore || request.sent;
            request.sent = false;
        }
    }

    // Asks what has to be asked on this connection. In a new session what undoes something of the old one is
    // done already.
    send(newSession: boolean): void {
        for (const [number, request] of [...this.open_]) {
            if (request.sent || (!newSession && request.answered)) continue;
            if (newSession && (undoes(request.verb) || request.cancelled)) {
                this.open_.delete(number);
                if (undoes(request.verb)) request.events.done({});
                continue;
            }
            if (request.answered) request.events.restarted?.();
            this.send_(request);
        }
    }

    // After a resume the broker tells all that is present once more, unasked.
    restartWatches(): void {
        for (const request of [...this.open_.values()]) {
            if (request.answered && !request.cancelled) request.events.restarted?.();
        }
    }

    onOk(fields: Fields): void {
        const request = this.open_.get(fields.request!);
        if (!request) return; // undone meanwhile
        request.answered = true;
        if (!lasts(request.verb)) this.forget_(fields.request!);
        request.events.done(fields);
    }

    onNak(fields: Fields): void {
        const request = this.open_.get(fields.request!);
        if (!request) return;
        this.forget_(fields.request!);
        // Asked twice because the first answer was lost: it is done.
        if (undoes(request.verb) && request.sentBefore && fields.code === "not-found") return request.events.done({});
        request.events.refused(new MbusError(fields.code ?? "internal", fields.text ?? ""));
    }

    onEntity(fields: Fields): void {
        this.open_.get(fields.request!)?.events.entity?.(fields);
    }

    // The session is over: nothing will be answered.
    giveUp(failure: MbusError): void {
        const open = [...this.open_.values()];
        this.open_.clear();
        for (const request of open) if (!request.answered) request.events.refused(failure);
    }

    // The request, and what it has undone.
    private forget_(number: number): void {
        const about = this.open_.get(number)?.fields.about;
        this.open_.delete(number);
        if (about !== undefined) this.open_.delete(Number(about));
    }
}
