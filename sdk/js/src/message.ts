// A message that was delivered, and one that is to be sent.
import { Address } from "./address.js";
import { parseCommands } from "./command_reader.js";
import { formatCommands } from "./command_writer.js";
import { MbusError } from "./errors.js";
import { Frame, fromUtf8, utf8 } from "./frame.js";
import { Command } from "./value.js";

const commandType = "application/mbus";

export class Message {
    readonly to: string;
    readonly from: string; // full address of the sender
    // Media type of the body; application/mbus: commands.
    readonly type: string;
    readonly body: Uint8Array;
    // When it was made by the sender's clock, ms since 1970; undefined: not told.
    readonly time?: number;
    readonly reliable: boolean;
    // It may have come before, to this program or to another reader of the queue.
    readonly redelivered: boolean;
    // A copy of a message between others.
    readonly monitor: boolean;
    // From the bus: its SeqNum, and the daemon's interface on which it was heard.
    readonly sequence?: number;
    readonly interface?: string;
    private commands_?: readonly Command[];

    constructor(
        { fields, body, reliable, redelivered }: Frame,
        // Tells the daemon that this message was handled; a listener's callback that ends does so by itself.
        readonly ack: () => void,
        // Queues: gives it back, for another reader.
        readonly nak: (reason?: string) => void,
    ) {
        this.to = fields.to ?? "()";
        this.from = fields.from ?? "";
        this.type = fields.type || commandType;
        this.body = body;
        this.time = fields.time === undefined ? undefined : Number(fields.time);
        this.reliable = !!reliable;
        this.redelivered = !!redelivered;
        this.monitor = fields.mode === "monitor";
        this.sequence = fields.sequence;
        this.interface = fields.interface;
    }

    // The body as text. Throws bad-value when it is not UTF-8.
    get text(): string {
        try {
            return fromUtf8.decode(this.body);
        } catch {
            throw new MbusError("bad-value", "the body is not UTF-8");
        }
    }

    // What it says; empty for another media type. Throws bad-command.
    get commands(): readonly Command[] {
        return (this.commands_ ??= this.type === commandType ? parseCommands(this.text) : []);
    }
    // Leaves out what was not for the program.
    keepOnly(commands: readonly Command[]): void {
        this.commands_ = commands;
    }
}

// What can be sent: commands, as objects or in RFC syntax, or octets of another media type.
export type Payload = string | Command | readonly Command[] | { readonly type: string; readonly body: Uint8Array | string };

export interface SendOptions {
    ttl?: number; // ms: dropped if not delivered by then
    time?: number; // ms since 1970, when it was made
}

// The fields and body of a payload. Throws bad-command, bad-value.
export function encodePayload(what: Payload): { type?: string; body: Uint8Array } {
    if (typeof what === "string") {
        parseCommands(what);
        return { body: utf8.encode(what) };
    }
    if ("body" in what) return { type: what.type, body: typeof what.body === "string" ? utf8.encode(what.body) : what.body };
    return { body: utf8.encode(formatCommands("name" in what ? [what] : what)) };
}

// True when `name` fits one of the comma-separated globs: `*` any run of characters, `?` one.
export function globMatches(globs: string, name: string): boolean {
    return globs.split(",").some((glob) => {
        const pattern = glob.replace(/[^*?]/g, (each) => `\\u{${each.codePointAt(0)!.toString(16)}}`);
        return new RegExp(`^${pattern.replace(/\*+/g, ".*").replace(/\?/g, ".")}$`, "su").test(name);
    });
}

export const fits = (address: string, pattern: string): boolean => Address.parse(address).answersTo(pattern);
