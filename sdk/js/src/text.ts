// The text form of a frame (docs/mbws.md, section 2.2): easier to read in a browser's tools, larger, and only
// for bodies in UTF-8. Not part of the small bundle: import { text } from "@mbus/client/text" and connect with
// { binding: text }.
//
//     message 42
//     to: (app:player)
//
//     player.play ("song.mp3" 3)
import { binary } from "./binary_frame.js";
import { fail } from "./errors.js";
import { asUnsigned, Codec, Fields, Frame, fromUtf8, isFieldText, keys, toUtf8, Unsigned, verbs } from "./frame.js";

const expected = (what: string): never => fail("bad-frame", `expected ${what}`);
// Bit n of the flags.
const flagNames = ["reliable", "receipt", "redelivered"];

function readDecimal(digits: string, octets: number): Unsigned {
    const value = /^\d+$/.test(digits) ? BigInt(digits) : -1n;
    if (value < 0n || value >> BigInt(8 * octets)) expected("a decimal number that fits the field");
    return asUnsigned(value);
}

function readYesNo(word: string): boolean {
    if (word !== "yes" && word !== "no") expected("'yes' or 'no'");
    return word === "yes";
}

// Puts the field into `fields`; returns the flags that it sets.
function readField(fields: Fields, seen: Set<string>, line: string): number {
    const colon = line.indexOf(":");
    if (colon < 0) expected("'name: value' or an empty line before the body");
    const name = line.slice(0, colon);
    const value = line.slice(colon + (line[colon + 1] === " " ? 2 : 1));
    const flag = flagNames.indexOf(name);
    const key = name ? keys.find(([each]) => each === name) : undefined;
    if (flag < 0 && !key) return 0; // of a later version
    if (seen.has(name)) expected("each field once at most");
    seen.add(name);
    if (!key) return readYesNo(value) ? 1 << flag : 0;
    const kind = key[1];
    const read = kind === "?" ? readYesNo(value) : kind ? readDecimal(value, Number(kind)) : value;
    Object.assign(fields, { [name]: read });
    return 0;
}

// Throws bad-frame.
export function decodeText(text: string): Frame {
    let at = 0;
    const line = () => {
        const end = text.indexOf("\n", at);
        const found = end < 0 ? text.slice(at) : text.slice(at, end).replace(/\r$/, "");
        at = end < 0 ? text.length : end + 1;
        if (!isFieldText(found)) expected("a header line without control characters");
        return found;
    };
    const [, verb, , number] = /^([^ ]*)( (.*))?$/.exec(line())!;
    const fields: Fields = {};
    let flags = 0;
    const seen = new Set<string>();
    while (at < text.length) {
        const field = line();
        if (!field) break; // the body follows
        flags |= readField(fields, seen, field);
    }
    return [verbs.includes(verb) ? verb : "", number === undefined ? 0 : readDecimal(number, 8), fields, toUtf8(text.slice(at)), flags];
}

// Undefined when the frame has no text form, since its body is not UTF-8. Throws bad-argument.
export function encodeText([verb, number, fields, body, flags]: Frame): string | undefined {
    let out = verb + (number ? ` ${number}` : "") + "\n";
    for (const [name] of keys) {
        const value = name ? fields[name] : undefined;
        if (value === undefined) continue;
        if (!isFieldText(String(value))) fail("bad-argument", `'${name}' has a control character`);
        out += `${name}: ${value === true ? "yes" : value === false ? "no" : value}\n`;
    }
    flagNames.forEach((name, bit) => (out += (flags >> bit) & 1 ? `${name}: yes\n` : ""));
    if (!body.length) return out;
    try {
        return `${out}\n${fromUtf8(body)}`;
    } catch {
        return undefined;
    }
}

// The binding of text WebSocket messages; frames without a text form go as binary ones.
export const text: Codec = {
    decode: (data) => (typeof data === "string" ? decodeText(data) : binary.decode(data)),
    encode: (frame) => encodeText(frame) ?? binary.encode(frame),
};
