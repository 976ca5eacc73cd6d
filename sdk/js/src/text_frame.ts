// The text form of a frame (docs/mbws.md, section 2.2):
//
//     message 42
//     to: (app:player)
//
//     player.play ("song.mp3" 3)
import { MbusError } from "./errors.js";
import { asUnsigned, badFrame, emptyBody, flags, Frame, fromUtf8, isFieldText, keys, Unsigned, utf8, verbs } from "./frame.js";

function readDecimal(digits: string, octets: number): Unsigned {
    const value = /^\d+$/.test(digits) ? BigInt(digits) : -1n;
    if (value < 0n || value >> BigInt(8 * octets)) throw badFrame("expected a decimal number that fits the field");
    return asUnsigned(value);
}

function readYesNo(word: string): boolean {
    if (word !== "yes" && word !== "no") throw badFrame("expected 'yes' or 'no'");
    return word === "yes";
}

// Throws bad-frame.
export function decodeText(text: string): Frame {
    let at = 0;
    const line = () => {
        const end = text.indexOf("\n", at);
        const found = end < 0 ? text.slice(at) : text.slice(at, end).replace(/\r$/, "");
        at = end < 0 ? text.length : end + 1;
        if (!isFieldText(found)) throw badFrame("expected a header line without control characters");
        return found;
    };
    const [, verb, , number] = /^([^ ]*)( (.*))?$/.exec(line())!;
    const frame: Frame = {
        verb: verbs.includes(verb) ? verb : "",
        number: number === undefined ? 0 : readDecimal(number, 8),
        fields: {},
        body: emptyBody,
    };
    const seen = new Set<string>();
    while (at < text.length) {
        const field = line();
        if (!field) break; // the body follows
        const colon = field.indexOf(":");
        if (colon < 0) throw badFrame("expected 'name: value' or an empty line before the body");
        const name = field.slice(0, colon);
        const value = field.slice(colon + (field[colon + 1] === " " ? 2 : 1));
        const flag = flags.find((each) => each === name);
        const key = name && keys.find(([each]) => each === name);
        if (!flag && !key) continue; // of a later version
        if (seen.has(name)) throw badFrame("expected each field once at most");
        seen.add(name);
        if (flag) {
            if (readYesNo(value)) frame[flag] = true;
        } else if (key) {
            const kind = key[1];
            (frame.fields as Record<string, unknown>)[name] =
                kind === "?" ? readYesNo(value) : kind ? readDecimal(value, Number(kind)) : value;
        }
    }
    frame.body = utf8.encode(text.slice(at));
    return frame;
}

// Undefined when the frame has no text form, since its body is not UTF-8.
export function encodeText(frame: Frame): string | undefined {
    let out = frame.verb + (frame.number ? ` ${frame.number}` : "") + "\n";
    for (const [name] of keys) {
        const value = name ? frame.fields[name] : undefined;
        if (value === undefined) continue;
        if (!isFieldText(String(value))) throw new MbusError("bad-argument", `'${name}' has a control character`);
        out += `${name}: ${value === true ? "yes" : value === false ? "no" : value}\n`;
    }
    for (const name of flags) if (frame[name]) out += `${name}: yes\n`;
    if (!frame.body.length) return out;
    try {
        return `${out}\n${fromUtf8.decode(frame.body)}`;
    } catch {
        return undefined;
    }
}
