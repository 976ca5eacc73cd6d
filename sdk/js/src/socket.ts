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
    opened_(): void;
    data_(data: Data): void;
    gone_(reason: MbusError): void;
}

const protocol = "mbws";

// The reason of a close frame is `code: text` (docs/mbws.md, section 6).
function closeReason(code: number, reason: string): MbusError {
    const [, word, text] = /^([a-z-]+): (.*)$/s.exec(reason) ?? [];
    return word ? new MbusError(word, text) : new MbusError("disconnected", `the connection broke or was refused (${reason || code})`);
}

export function openSocket(kind: WebSocketClass, url: string, events: SocketEvents) {
    const socket = new kind(url, [protocol]);
    let open = true;
    let trouble = "";
    // No event comes afterwards. `orderly`: with a close handshake, for which nobody waits.
    const drop_ = (orderly?: boolean) => {
        open = false;
        if (!orderly && socket.terminate) socket.terminate();
        else socket.close();
    };
    const gone = (reason: MbusError) => {
        if (!open) return;
        drop_();
        events.gone_(reason);
    };
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
        if (socket.protocol !== protocol) gone(new MbusError("bad-version", `${url} is no gateway of mbusd`));
        else if (open) events.opened_();
    };
    socket.onmessage = ({ data }: { data: string | ArrayBuffer }) =>
        open && events.data_(typeof data === "string" ? data : new Uint8Array(data));
    // Stays for good: `ws` reports errors of a socket that is being dropped.
    socket.onerror = ({ message = "" }) => (trouble = message);
    socket.onclose = ({ code = 0, reason = "" }) => gone(closeReason(code, reason || trouble));
    return { send_: (data: Data) => socket.send(data), drop_ };
}
