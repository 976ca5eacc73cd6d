// The binary form of a frame (docs/mbws.md, section 2.1).
import { fail } from "./errors.js";
import { asUnsigned, Codec, Fields, flagsKnown, Frame, fromUtf8, isFieldText, keys, toUtf8, Unsigned, verbs } from "./frame.js";

const headOctets = 16;
const headerMax = 65535; // H has 16 bits

const viewOf = ({ buffer, byteOffset, length }: Uint8Array) => new DataView(buffer, byteOffset, length);
// Of a field that is no text; yes/no is one octet.
const octetsOf = (kind: string) => +kind || 1;

function must(holds: boolean): void {
    if (!holds) throw 0; // decode() says what
}

function readField(octets: Uint8Array, kind?: string): unknown {
    if (!kind) {
        const text = fromUtf8(octets);
        must(isFieldText(text));
        return text;
    }
    must(octets.length === octetsOf(kind));
    const value = asUnsigned(octets.reduce((sum, octet) => sum * 256n + BigInt(octet), 0n));
    if (kind !== "?") return value;
    must(value < 2);
    return !!value;
}

// Throws whatever it meets: a view that ends, octets that are no UTF-8.
function read(octets: Uint8Array): Frame {
    const view = viewOf(octets);
    const end = view.getUint16(2);
    const fields: Record<string, unknown> = {};
    must(end >= headOctets && end + view.getUint32(4) === octets.length);
    for (let at = headOctets; at < end; ) {
        const [name, kind] = keys[octets[at]] ?? [];
        const value = octets.subarray(at + 3, (at += 3 + view.getUint16(at + 1)));
        must(at <= end);
        if (!name) continue; // of a later version
        must(!(name in fields));
        fields[name] = readField(value, kind);
    }
    return {
        verb: verbs[octets[0]] ?? "",
        flags: octets[1] & flagsKnown,
        number: asUnsigned(view.getBigUint64(8)),
        fields: fields as Fields,
        body: octets.subarray(end),
    };
}

function integer(value: Unsigned | boolean, octets: number): Uint8Array {
    const all = new Uint8Array(8);
    viewOf(all).setBigUint64(0, BigInt(value));
    return all.subarray(8 - octets);
}

// The binding of binary WebSocket messages. encode() throws bad-argument for text that no field can hold.
export const binary: Codec = {
    decode(data) {
        try {
            return read(data as Uint8Array);
        } catch {
            return fail("bad-frame", "the daemon sent a malformed frame");
        }
    },

    encode({ verb, flags, number, fields, body }) {
        const header = [verbs.indexOf(verb), flags, 0, 0, ...integer(body.length, 4), ...integer(number, 8)];
        keys.forEach(([name, kind], key) => {
            const value = fields[name] as string | undefined;
            if (value === undefined) return;
            const octets = kind ? integer(BigInt(value), octetsOf(kind)) : toUtf8(value);
            if (header.length + octets.length > headerMax || !(kind || isFieldText(value))) {
                fail("bad-argument", `'${name}' is too long or has a control character`);
            }
            header.push(key, octets.length >> 8, octets.length & 255, ...octets);
        });
        header.splice(2, 2, header.length >> 8, header.length & 255);
        const out = new Uint8Array(header.length + body.length);
        out.set(header);
        out.set(body, header.length);
        return out;
    },
};
