// The binary form of a frame (docs/mbws.md, section 2.1).
import { MbusError } from "./errors.js";
import { asUnsigned, badFrame, Fields, flags, Frame, fromUtf8, isFieldText, keys, utf8, verbs } from "./frame.js";

const headOctets = 16;
const headerMax = 65535; // H has 16 bits

const readUnsigned = (view: DataView, at: number, octets: number) => {
    if (octets === 8) return asUnsigned(view.getBigUint64(at));
    return octets === 4 ? view.getUint32(at) : octets === 2 ? view.getUint16(at) : view.getUint8(at);
};

function readText(octets: Uint8Array): string {
    let text = "";
    try {
        text = fromUtf8.decode(octets);
    } catch {
        throw badFrame("a text field is not UTF-8");
    }
    if (!isFieldText(text)) throw badFrame("a text field has a control character");
    return text;
}

function readFields(view: DataView, octets: Uint8Array, end: number): Fields {
    const fields: Record<string, unknown> = {};
    for (let at = headOctets; at < end; ) {
        if (end - at < 3) throw badFrame("the fields do not end where the header ends");
        const [name, kind] = keys[octets[at]] ?? [];
        const size = view.getUint16(at + 1);
        const from = at + 3;
        at = from + size;
        if (at > end) throw badFrame("a field reaches beyond the header");
        if (!name) continue; // of a later version
        if (name in fields) throw badFrame("a field occurs twice");
        if (!kind) {
            fields[name] = readText(octets.subarray(from, at));
        } else if (size !== (kind === "?" ? 1 : Number(kind))) {
            throw badFrame("an integer field has the wrong size");
        } else if (kind === "?") {
            if (octets[from] > 1) throw badFrame("a yes/no field is neither 1 nor 0");
            fields[name] = octets[from] === 1;
        } else {
            fields[name] = readUnsigned(view, from, size);
        }
    }
    return fields;
}

// Throws bad-frame.
export function decodeBinary(octets: Uint8Array): Frame {
    if (octets.length < headOctets) throw badFrame("shorter than the 16 octets of a header");
    const view = new DataView(octets.buffer, octets.byteOffset, octets.length);
    const header = view.getUint16(2);
    if (header < headOctets || header + view.getUint32(4) !== octets.length) {
        throw badFrame("the lengths of header and body do not add up to the length of the frame");
    }
    const frame: Frame = {
        verb: verbs[octets[0]] ?? "",
        number: asUnsigned(view.getBigUint64(8)),
        fields: readFields(view, octets, header),
        body: octets.subarray(header),
    };
    flags.forEach((name, bit) => {
        if ((octets[1] >> bit) & 1) frame[name] = true;
    });
    return frame;
}

// The octets of each field that is given. Throws bad-argument for text that no field can hold.
function fieldPieces(fields: Fields): [key: number, value: Uint8Array][] {
    const pieces: [number, Uint8Array][] = [];
    keys.forEach(([name, kind], key) => {
        const value = fields[name];
        if (!name || value === undefined) return;
        if (!kind) {
            if (!isFieldText(value as string)) throw new MbusError("bad-argument", `'${name}' has a control character`);
            pieces.push([key, utf8.encode(value as string)]);
            return;
        }
        const octets = new Uint8Array(8);
        const size = kind === "?" ? 1 : Number(kind);
        new DataView(octets.buffer).setBigUint64(0, BigInt(value));
        pieces.push([key, octets.subarray(8 - size)]);
    });
    return pieces;
}

// Throws bad-argument when the fields can't be written.
export function encodeBinary(frame: Frame): Uint8Array {
    const pieces = fieldPieces(frame.fields);
    const header = pieces.reduce((sum, [, value]) => sum + 3 + value.length, headOctets);
    if (header > headerMax) throw new MbusError("bad-argument", "the fields are longer than a frame's header can hold");
    const out = new Uint8Array(header + frame.body.length);
    const view = new DataView(out.buffer);
    out[0] = verbs.indexOf(frame.verb);
    flags.forEach((name, bit) => (out[1] |= frame[name] ? 1 << bit : 0));
    view.setUint16(2, header);
    view.setUint32(4, frame.body.length);
    view.setBigUint64(8, BigInt(frame.number));
    let at = headOctets;
    for (const [key, value] of pieces) {
        out[at] = key;
        view.setUint16(at + 1, value.length);
        out.set(value, at + 3);
        at += 3 + value.length;
    }
    out.set(frame.body, header);
    return out;
}
