// The MBWS frame: a verb, a number, header fields and a body (docs/mbws.md, section 2).
// Its two forms are in binary_frame.ts and text.ts.

// An unsigned integer of up to 64 bits: a bigint beyond 2^53.
export type Unsigned = number | bigint;

export interface Fields {
    to?: string;
    from?: string;
    entity?: string;
    session?: string;
    received?: Unsigned;
    window?: number;
    expiry?: number;
    request?: number;
    code?: string;
    text?: string;
    type?: string;
    time?: Unsigned;
    ttl?: number;
    matched?: number;
    missed?: Unsigned;
    auth?: string;
    version?: number;
    name?: string;
    mode?: string;
    queue?: string;
    state?: string;
    resumed?: boolean;
    command?: string;
    url?: string;
    uses?: number;
    policy?: string;
    tried?: number;
    took?: number;
    via?: string;
    broker?: string;
    about?: Unsigned;
    size?: number;
    durable?: boolean;
    origin?: string;
    sequence?: number;
    interface?: string;
}

export type Frame = [
    verb: string, // "" for one of a later version
    number: Unsigned, // 0: not numbered
    fields: Fields,
    body: Uint8Array,
    flags: number,
];

export const flagReliable = 1;
export const flagReceipt = 2;
export const flagRedelivered = 4;
export const flagsKnown = 7;

// One of the two forms: what is read and written as a WebSocket message.
export interface Codec {
    encode(frame: Frame): Uint8Array | string;
    decode(data: Uint8Array | string): Frame; // throws bad-frame
}

// By the number that stands for them in binary frames (docs/mbws.md, section 2.3).
export const verbs =
    " connect connected attach detach ok nak message ack receipt watch entity grant revoke ping pong close error".split(" ");

// Name and octets of each field by its number (section 2.4): no number is text, `?` is yes/no.
export const keys = (
    " to from entity session received:8 window:4 expiry:4 request:4 code text type time:8 ttl:4 matched:4 missed:8 " +
    "auth version:2 name mode queue state resumed:? command url uses:4 policy tried:1 took:4 via broker about:8 " +
    "size:4 durable:? origin sequence:4 interface"
)
    .split(" ")
    .map((entry) => entry.split(":") as [keyof Fields, string?]);

export const emptyBody = new Uint8Array();
export const toUtf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
// Strict, and a byte order mark is a character like any other.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
export const fromUtf8 = (octets: Uint8Array): string => decoder.decode(octets);

// What a text field may hold: no control characters.
export const isFieldText = (text: string): boolean => !/[\0-\x1f\x7f]|\p{Surrogate}/u.test(text);

export const asUnsigned = (value: bigint): Unsigned => (value < 2 ** 53 ? Number(value) : value);
