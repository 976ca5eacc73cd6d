// Writes commands and values, strictly in the syntax of RFC 3259, section 5.3.
import { encodeBase64 } from "./base64.js";
import { fail } from "./errors.js";
import { depthMax } from "./limits.js";
import { Command, Float, MbusSymbol, Value } from "./value.js";

const expected = (what: string): never => fail("bad-value", `expected ${what}`);

// digits.digits, never an exponent, the shortest that reads back as the same double. With a fraction, a large
// exponent can't be.
const digitsOf = (value: number): string =>
    value % 1 === 0
        ? `${Object.is(value, -0) ? "-0" : BigInt(value)}.0`
        : `${value}`.replace(/(\d.*)e-(.*)/, (_, digits, exponent) => `0.${"0".repeat(exponent - 1)}${digits.replace(".", "")}`);

const formatFloat = (value: number, digits = digitsOf(value)): string =>
    /^-?\d+\.\d+$/.test(digits) ? digits : expected("a finite number");

function formatString(text: string): string {
    if (/[\0\x7f]|\p{Surrogate}/u.test(text)) expected("text without NUL and DEL");
    return `"${text.replace(/["\\]/g, "\\$&").replace(/\n/g, "\\n")}"`;
}

const formatSymbol = (name: string): string => (/^[A-Za-z][\w.-]*$/.test(name) ? name : expected(`a symbol, not '${name}'`));

// Throws bad-value for what Mbus can't say.
export function formatValue(value: Value, depth = 0): string {
    const kind = typeof value;
    if (kind === "bigint" || kind === "boolean" || Number.isSafeInteger(value)) return `${BigInt(value as bigint)}`;
    if (Number.isInteger(value)) expected("bigint or float() beyond 2^53");
    if (kind === "number") return formatFloat(value as number);
    if (kind === "string") return formatString(value as string);
    if (value instanceof MbusSymbol) return formatSymbol(value.name);
    if (value instanceof Float) return formatFloat(value.value, value.digits);
    if (value instanceof Uint8Array) return `<${encodeBase64(value)}>`;
    if (!Array.isArray(value) || depth >= depthMax) expected("an Mbus value, 64 lists deep at most");
    return `(${(value as Value[]).map((each) => formatValue(each, depth + 1)).join(" ")})`;
}

export const formatCommand = ({ name, args }: Command): string => formatSymbol(name) + formatValue(args);

// Each command on a line of its own, ended by CR LF.
export const formatCommands = (commands: readonly Command[]): string =>
    commands.map((each) => `${formatCommand(each)}\r\n`).join("");
