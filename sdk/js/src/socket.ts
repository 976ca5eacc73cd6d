// One WebSocket: it opens, brings data and goes, each told once; afterwards it is silent, whatever the
// network still does to it.
import { MbusError } from "./errors.js";
import { Data } from "./session.js";

// What a WebSocket class must have: the browsers', that of npm's `ws`, that of Node 22.
export interface WebSocketLike {
    binaryType: string;
    readonly protocol: string;
    onopen: unknown;
    onmessage: unknown;
    onclose: unknown;
    onerror: unknown;
    send(data: Data): void;
    close(code?: number, reason?: string): void;
    terminate?(): void; // ws: without waiting for the other side
}
export type WebSocketClass = new (url: string, protocols?: string | string[]) => WebSocketLike;

export interface SocketEvents {
    opened(): void;
    data(data: Data): void;
    gone(reason: MbusError): void;
}

const protocol = "mbws";

export class Socket {
    private socket_: WebSocketLike;
    private events_?: SocketEvents;

    constructor(kind: WebSocketClass, url: string, events: SocketEvents) {
        this.events_ = events;
        const socket = (this.socket_ = new kind(url, [protocol]));
        let trouble = "";
        socket.binaryType = "arraybuffer";
        socket.onopen = () => {
            if (socket.protocol === protocol) return this.events_?.opened();
            this.gone_(new MbusError("bad-version", `${url} does not speak ${protocol}; is it the address of mbusd's gateway?`));
        };
        socket.onmessage = ({ data }: { data: string | ArrayBuffer }) =>
            this.events_?.data(typeof data === "string" ? data : new Uint8Array(data));
        // Stays for good: `ws` reports errors of a socket that is being dropped.
        socket.onerror = ({ message }: { message?: string }) => (trouble = message ?? "");
        socket.onclose = ({ code, reason }: { code: number; reason: string }) =>
            this.gone_(closeReason(code, reason || trouble));
    }

    send(data: Data): void {
        this.socket_.send(data);
    }

    // No event comes afterwards. `orderly`: with a close handshake, for which nobody waits.
    drop(orderly = false): void {
        const socket = this.socket_;
        this.events_ = undefined;
        if (!orderly && socket.terminate) socket.terminate();
        else socket.close(orderly ? 1000 : undefined);
    }

    private gone_(reason: MbusError): void {
        const events = this.events_;
        this.drop();
        events?.gone(reason);
    }
}

// The reason of a close frame is `code: text` (docs/mbws.md, section 6).
function closeReason(code: number, reason: string): MbusError {
    const [, word, text] = /^([a-z]+(?:-[a-z]+)*): (.*)$/s.exec(reason) ?? [];
    if (word) return new MbusError(word, text);
    return new MbusError("disconnected", `the connection broke or could not be made (${reason || code})`);
}
