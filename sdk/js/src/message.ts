// A message that was delivered, and what can be sent.
import { parseCommands } from "./command_reader.js";
import { formatCommands } from "./command_writer.js";
import { fail } from "./errors.js";
import { Fields, flagRedelivered, flagReliable, Frame, fromUtf8, toUtf8 } from "./frame.js";
import { Command } from "./value.js";

const commandType = "application/mbus";

export interface Message {
    readonly to: string;
    readonly from: string; // full address of the sender
    readonly type: string; // media type of the body; application/mbus: commands
    readonly body: Uint8Array;
    readonly time?: number; // when it was made by the sender's clock, ms since 1970
    readonly reliable: boolean;
    readonly redelivered: boolean; // it may have come before, to this program or another reader of the queue
    readonly monitor: boolean; // a copy of a message between others
    readonly sequence?: number; // from the bus: its SeqNum
    readonly interface?: string; // from the bus: the daemon's interface on which it was heard
    readonly text: string; // the body as text. Throws bad-value when it is not UTF-8
    // What it says; empty for another media type. Throws bad-command. Filters leave out what was for them.
    commands: readonly Command[];
    // Tells the daemon that this message was handled; a listener that ends does so by itself.
    ack(): void;
    // Queues: gives it back, for another reader.
    nak(reason?: string): void;
}

export function makeMessage([, , fields, body, flags]: Frame, ack: () => void, nak: (reason?: string) => void): Message {
    const { to = "()", from = "", type = commandType, time, mode, sequence } = fields;
    let commands: readonly Command[] | undefined;
    return {
        to,
        from,
        type,
        body,
        time: (time && Number(time)) as number | undefined,
        reliable: !!(flags & flagReliable),
        redelivered: !!(flags & flagRedelivered),
        monitor: mode === "monitor",
        sequence,
        interface: fields.interface,
        ack,
        nak,
        get text() {
            try {
                return fromUtf8(body);
            } catch {
                return fail("bad-value", "the body is not UTF-8");
            }
        },
        get commands() {
            return (commands ??= type === commandType ? parseCommands(this.text) : []);
        },
        set commands(rest) {
            commands = rest;
        },
    };
}

// What can be sent: commands, as objects or in RFC syntax, or octets of another media type.
export type Payload = string | Command | readonly Command[] | { readonly type: string; readonly body: Uint8Array | string };

export interface SendOptions {
    ttl?: number; // ms: dropped if not delivered by then
    time?: number; // ms since 1970, when it was made
}

// The media type and body of a payload. Throws bad-command, bad-value.
export function encodePayload(what: Payload): [type: Fields["type"], body: Uint8Array] {
    const encoded = (body: string | Uint8Array) => (typeof body === "string" ? toUtf8(body) : body);
    if (typeof what === "string") parseCommands(what);
    else if ("body" in what) return [what.type, encoded(what.body)];
    else what = formatCommands(([what] as Command[]).flat());
    return [undefined, encoded(what)];
}
