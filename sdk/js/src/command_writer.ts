// Writes commands and values, strictly in the syntax of RFC 3259, section 5.3.
import { encodeBase64 } from "./base64.js";
import { MbusError } from "./errors.js";
import { Command, Float, MbusSymbol, Value } from "./value.js";

const depthMax = 64;
const isSymbol = (name: string): boolean => /^[A-Za-z][\w.-]*$/.test(name);

function bad(expected: string): never {
    throw new MbusError("bad-value", `expected ${expected}`);
}

// digits.digits, never an exponent, the shortest that reads back as the same double.
function formatDouble(value: number): string {
    if (!Number.isFinite(value)) bad("a finite number: Mbus has no NaN and no infinity");
    if (Number.isInteger(value)) return `${Object.is(value, -0) ? "-0" : BigInt(value)}.0`;
    const written = String(value);
    const exponent = written.indexOf("e-"); // with a fraction, a large exponent can't be
    if (exponent < 0) return written;
    const [, sign, digits] = /^(-?)(.*)$/.exec(written.slice(0, exponent).replace(".", ""))!;
    return `${sign}0.${"0".repeat(Number(written.slice(exponent + 2)) - 1)}${digits}`;
}

function formatNumber(value: number): string {
    if (!Number.isInteger(value)) return formatDouble(value);
    if (!Number.isSafeInteger(value)) bad("a bigint or float() beyond 2^53: a number does not say which it is");
    return String(value + 0);
}

function formatString(text: string): string {
    if (/[\0\x7f]|\p{Surrogate}/u.test(text)) bad("Unicode without NUL and DEL in a string: send other octets as Uint8Array");
    return `"${text.replace(/["\\]/g, "\\$&").replace(/\n/g, "\\n")}"`;
}

function formatFloat({ value, digits }: Float): string {
    if (digits === undefined) return formatDouble(value);
    return /^-?\d+\.\d+$/.test(digits) ? digits : bad("digits of a float");
}

function formatList(values: readonly Value[], depth: number): string {
    if (depth > depthMax) bad("at most 64 lists inside each other");
    return `(${values.map((each) => format(each, depth)).join(" ")})`;
}

function format(value: Value, depth: number): string {
    if (typeof value === "number") return formatNumber(value);
    if (typeof value === "string") return formatString(value);
    if (typeof value === "bigint") return String(value);
    if (typeof value === "boolean") return value ? "1" : "0";
    if (value instanceof MbusSymbol) {
        return isSymbol(value.name) ? value.name : bad("a symbol: a letter, then letters, digits, '_', '-', '.'");
    }
    if (value instanceof Float) return formatFloat(value);
    if (value instanceof Uint8Array) return `<${encodeBase64(value)}>`;
    if (Array.isArray(value)) return formatList(value, depth + 1);
    return bad("a number, bigint, string, symbol(), float(), Uint8Array or array");
}

// Throws bad-value for what Mbus can't say.
export const formatValue = (value: Value): string => format(value, 0);

export function formatCommand({ name, args }: Command): string {
    if (!isSymbol(name)) throw new MbusError("bad-command", `expected a command name, found '${name}'`);
    return name + formatList(args ?? [], 1);
}

// Each command on a line of its own, ended by CR LF.
export const formatCommands = (commands: readonly Command[]): string =>
    commands.map((each) => `${formatCommand(each)}\r\n`).join("");
