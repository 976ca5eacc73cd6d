// Writes commands and values, strictly in the syntax of RFC 3259, section 5.3.
import { encodeBase64 } from "./base64.js";
import { depthMax } from "./command_reader.js";
import { fail } from "./errors.js";
import { Command, Float, MbusSymbol, Value } from "./value.js";

const expected = (what: string): never => fail("bad-value", `expected ${what}`);

// digits.digits, never an exponent, the shortest that reads back as the same double.
function formatDouble(value: number): string {
    if (!isFinite(value)) expected("a finite number");
    if (Number.isInteger(value)) return `${Object.is(value, -0) ? "-0" : BigInt(value)}.0`;
    // With a fraction, a large exponent can't be.
    const [, sign, digits, exponent] = /^(-?)(.*?)(?:e-(.*))?$/.exec(String(value))!;
    return sign + (exponent ? `0.${"0".repeat(+exponent - 1)}${digits.replace(".", "")}` : digits);
}

const formatNumber = (value: number): string =>
    !Number.isInteger(value)
        ? formatDouble(value)
        : Number.isSafeInteger(value) ? `${value + 0}` : expected("bigint or float() beyond 2^53");

function formatString(text: string): string {
    if (/[\0\x7f]|\p{Surrogate}/u.test(text)) expected("text without NUL and DEL, or a Uint8Array");
    return `"${text.replace(/["\\]/g, "\\$&").replace(/\n/g, "\\n")}"`;
}

const formatFloat = ({ value, digits }: Float): string =>
    digits === undefined ? formatDouble(value) : /^-?\d+\.\d+$/.test(digits) ? digits : expected("digits");

const formatSymbol = (name: string): string => (/^[A-Za-z][\w.-]*$/.test(name) ? name : expected(`a symbol, not '${name}'`));

// Throws bad-value for what Mbus can't say.
export function formatValue(value: Value, depth = 0): string {
    if (typeof value === "number") return formatNumber(value);
    if (typeof value === "string") return formatString(value);
    if (typeof value === "bigint") return `${value}`;
    if (typeof value === "boolean") return value ? "1" : "0";
    if (value instanceof MbusSymbol) return formatSymbol(value.name);
    if (value instanceof Float) return formatFloat(value);
    if (value instanceof Uint8Array) return `<${encodeBase64(value)}>`;
    if (!Array.isArray(value) || depth >= depthMax) expected("an Mbus value, 64 lists deep at most");
    return `(${(value as Value[]).map((each) => formatValue(each, depth + 1)).join(" ")})`;
}

export const formatCommand = ({ name, args }: Command): string => formatSymbol(name) + formatValue(args);

// Each command on a line of its own, ended by CR LF.
export const formatCommands = (commands: readonly Command[]): string =>
    commands.map((each) => `${formatCommand(each)}\r\n`).join("");
