// A message that was delivered, and what can be sent.
import { parseCommands } from "./command_reader.js";
import { formatCommands } from "./command_writer.js";
import { fail } from "./errors.js";
import { Fields, flagRedelivered, flagReliable, Frame, fromUtf8, toUtf8 } from "./frame.js";
import { Command } from "./value.js";

const commandType = "application/mbus";

export class Message {
    declare readonly to: string;
    declare readonly from: string; // full address of the sender
    declare readonly type: string; // media type of the body; application/mbus: commands
    declare readonly body: Uint8Array;
    declare readonly time?: number; // when it was made by the sender's clock, ms since 1970
    declare readonly reliable: boolean;
    declare readonly redelivered: boolean; // it may have come before, to this program or another reader of the queue
    declare readonly monitor: boolean; // a copy of a message between others
    declare readonly sequence?: number; // from the bus: its SeqNum
    declare readonly interface?: string; // from the bus: the daemon's interface on which it was heard
    private commands_?: readonly Command[];

    constructor(
        { fields, body, flags }: Frame,
        // Tells the daemon that this message was handled; a listener that ends does so by itself.
        readonly ack: () => void,
        // Queues: gives it back, for another reader.
        readonly nak: (reason?: string) => void,
    ) {
        const { to = "()", from = "", type = commandType, time, mode, sequence, interface: heardOn } = fields;
        Object.assign(this, {
            to,
            from,
            type,
            body,
            time: time && Number(time),
            reliable: !!(flags & flagReliable),
            redelivered: !!(flags & flagRedelivered),
            monitor: mode === "monitor",
            sequence,
            interface: heardOn,
        });
    }

    // The body as text. Throws bad-value when it is not UTF-8.
    get text(): string {
        try {
            return fromUtf8(this.body);
        } catch {
            return fail("bad-value", "the body is not UTF-8");
        }
    }

    // What it says; empty for another media type. Throws bad-command.
    get commands(): readonly Command[] {
        return (this.commands_ ??= this.type === commandType ? parseCommands(this.text) : []);
    }
    // Leaves out what was not for the program.
    set commands(rest: readonly Command[]) {
        this.commands_ = rest;
    }
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
    else what = formatCommands("name" in what ? [what] : what);
    return [undefined, encoded(what)];
}
