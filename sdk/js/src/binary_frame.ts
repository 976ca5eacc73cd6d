// The binary form of a frame (docs/mbws.md, section 2.1).
import { fail } from "./errors.js";
import { asUnsigned, Codec, Fields, flagsKnown, fromUtf8, isFieldText, keys, toUtf8, verbs } from "./frame.js";

const headOctets = 16;
const headerMax = 65535; // H has 16 bits

const bad = (what: string): never => fail("bad-frame", what);
const viewOf = ({ buffer, byteOffset, length }: Uint8Array) => new DataView(buffer, byteOffset, length);

function readText(octets: Uint8Array): string {
    try {
        const text = fromUtf8(octets);
        if (isFieldText(text)) return text;
    } catch {
        // Said below.
    }
    return bad("a text field is not UTF-8 or has a control character");
}

function readInteger(octets: Uint8Array): number | bigint {
    if (octets.length === 8) return asUnsigned(viewOf(octets).getBigUint64(0));
    return octets.reduce((value, octet) => value * 256 + octet, 0);
}

function readFields(header: Uint8Array): Fields {
    const fields: Record<string, unknown> = {};
    for (let at = headOctets; at < header.length; ) {
        const [name, kind] = keys[header[at]] ?? [];
        const size = header[at + 1] * 256 + header[at + 2];
        const value = header.subarray(at + 3, (at += 3 + size));
        if (!(at <= header.length)) bad("a field reaches beyond the header");
        if (!name) continue; // of a later version
        if (name in fields) bad("a field occurs twice");
        if (kind && size !== (+kind || 1)) bad("an integer field has the wrong size");
        if (kind === "?" && value[0] > 1) bad("a yes/no field is neither 1 nor 0");
        fields[name] = !kind ? readText(value) : kind === "?" ? !!value[0] : readInteger(value);
    }
    return fields;
}

function writeInteger(value: number | bigint | boolean, size: number): Uint8Array {
    const octets = new Uint8Array(8);
    viewOf(octets).setBigUint64(0, BigInt(value));
    return octets.subarray(8 - size);
}

// The binding of binary WebSocket messages. encode() throws bad-argument for text that no field can hold.
export const binary: Codec = {
    decode(data) {
        const octets = data as Uint8Array;
        const head = viewOf(octets);
        if (octets.length < headOctets) bad("shorter than a header");
        const header = head.getUint16(2);
        if (header < headOctets || header + head.getUint32(4) !== octets.length) bad("the lengths do not add up");
        return {
            verb: verbs[octets[0]] ?? "",
            flags: octets[1] & flagsKnown,
            number: asUnsigned(head.getBigUint64(8)),
            fields: readFields(octets.subarray(0, header)),
            body: octets.subarray(header),
        };
    },

    encode({ verb, flags, number, fields, body }) {
        const header = new Uint8Array(headOctets);
        const pieces = [header];
        keys.forEach(([name, kind], key) => {
            const value = fields[name];
            if (value === undefined) return;
            if (!kind && !isFieldText(value as string)) fail("bad-argument", `'${name}' has a control character`);
            const octets = kind ? writeInteger(value as number, +kind || 1) : toUtf8(value as string);
            pieces.push(Uint8Array.of(key, octets.length >> 8, octets.length), octets);
        });
        const total = pieces.reduce((sum, { length }) => sum + length, 0);
        if (total > headerMax) fail("bad-argument", "the fields are longer than a header can be");
        const head = viewOf(header);
        header.set([verbs.indexOf(verb), flags]);
        head.setUint16(2, total);
        head.setUint32(4, body.length);
        head.setBigUint64(8, BigInt(number));
        const out = new Uint8Array(total + body.length);
        let at = 0;
        for (const piece of [...pieces, body]) {
            out.set(piece, at);
            at += piece.length;
        }
        return out;
    },
};
