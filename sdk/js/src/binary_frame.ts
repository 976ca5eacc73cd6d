// The binary form of a frame (docs/mbws.md, section 2.1).
import { fail, wrong } from "./errors.js";
import { asUnsigned, Codec, flagsKnown, Frame, fromUtf8, isFieldText, keys, toUtf8, Unsigned, verbs } from "./frame.js";
import { fieldsMax, headOctets } from "./limits.js";

// Of a field that is no text; yes/no is one octet.
const octetsOf = (kind: string) => +kind || 1;
const readInteger = (octets: Uint8Array) => asUnsigned(octets.reduce((sum, octet) => sum * 256n + BigInt(octet), 0n));
const integer = (value: Unsigned | boolean, octets: number) =>
    Array.from({ length: octets }, (_, at) => Number((BigInt(value) >> BigInt(8 * (octets - at - 1))) & 255n));

function must(holds: boolean): void {
    if (!holds) throw 0; // decode() says what
}

function readField(octets: Uint8Array, kind?: string): unknown {
    if (!kind) {
        const text = fromUtf8(octets);
        must(isFieldText(text));
        return text;
    }
    const value = readInteger(octets);
    must(octets.length === octetsOf(kind) && (kind !== "?" || value < 2));
    return kind === "?" ? !!value : value;
}

// Throws whatever it meets: a header that ends, octets that are no UTF-8.
function read(octets: Uint8Array): Frame {
    const part = (from: number, to: number) => readInteger(octets.subarray(from, to)) as number;
    const end = part(2, 4);
    const fields: Record<string, unknown> = {};
    must(end >= headOctets && end + part(4, 8) === octets.length);
    for (let at = headOctets; at < end; ) {
        const [name, kind] = keys[octets[at]] ?? [];
        const value = octets.subarray(at + 3, (at += 3 + part(at + 1, at + 3)));
        must(at <= end);
        if (!name) continue; // of a later version
        must(!(name in fields));
        fields[name] = readField(value, kind);
    }
    return [verbs[octets[0]] ?? "", part(8, headOctets), fields, octets.subarray(end), octets[1] & flagsKnown];
}

// The binding of binary WebSocket messages. encode() throws bad-argument for text that no field can hold.
export const binary: Codec = {
    decode(data) {
        try {
            return read(data as Uint8Array);
        } catch {
            return wrong("a malformed frame");
        }
    },

    encode([verb, number, fields, body, flags]) {
        const header: number[] = [];
        keys.forEach(([name, kind], key) => {
            const value = fields[name] as string | undefined;
            if (value === undefined) return;
            const octets = kind ? integer(BigInt(value), octetsOf(kind)) : toUtf8(value);
            if (header.length + octets.length > fieldsMax || !(kind || isFieldText(value))) {
                fail("bad-argument", `'${name}' is too long or has a control character`);
            }
            header.push(key, ...integer(octets.length, 2), ...octets);
        });
        const end = headOctets + header.length;
        const out = new Uint8Array(end + body.length);
        out.set([verbs.indexOf(verb), flags, ...integer(end, 2), ...integer(body.length, 4), ...integer(number, 8), ...header]);
        out.set(body, end);
        return out;
    },
};
