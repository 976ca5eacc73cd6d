// Reads commands and values in the syntax of RFC 3259, section 5.3, as leniently as the daemon does: LF as
// line end, blanks before and inside parentheses, raw line ends in strings, `\x` as x.
import { decodeBase64 } from "./base64.js";
import { fail } from "./errors.js";
import { commandsMax, depthMax } from "./limits.js";
import { Command, Float, MbusSymbol, Value } from "./value.js";

// What a value begins with: the text of a string, the data in <>, digits, a symbol, or a list. A string is written
// as runs between escapes, so that long ones need no deep matching.
const token =
    /"([^"\\\0\x7f]*(?:\\[^\0\x7f][^"\\\0\x7f]*)*)"|<([a-z\d+/=]*)>|(-?\d+(?:\.\d+)?)|([a-z][\w.-]*)|\([ \t]*/iy;
const listEnd = /\)/y;
const betweenValues = /[ \t]+|(?=\))/y;
const commandName = /([a-z][\w.-]*)[ \t]*\([ \t]*/iy;
const commandEnd = /[ \t]*(?:\r?\n|$)/y;

// An integer that a number holds exactly is a number, a larger one a bigint; a float that looks like an
// integer, or that no double holds, keeps its kind in a Float.
function readNumber(digits: string): Value {
    const value = Number(digits);
    if (!digits.includes(".")) return Number.isSafeInteger(value) ? value + 0 : BigInt(digits);
    if (!isFinite(value) || (!value && /[1-9]/.test(digits))) return new Float(value, digits);
    return value % 1 ? value : new Float(value);
}

function reader(text: string) {
    let at = 0;
    const expected = (what: string) => fail("bad-command", `expected ${what} at ${at}`);
    // Takes what the sticky pattern matches here, and its groups.
    const take = (pattern: RegExp) => {
        pattern.lastIndex = at;
        const found = pattern.exec(text);
        at += found?.[0].length ?? 0;
        return found;
    };
    // The values after a parenthesis.
    const list = (depth: number) => {
        const values: Value[] = [];
        if (depth > depthMax) expected("64 lists deep at most");
        while (!take(listEnd)) {
            values.push(value(depth));
            if (!take(betweenValues)) expected("a blank or )");
        }
        return values;
    };
    const value = (depth: number): Value => {
        const [, string, data, digits, name] = take(token) ?? expected('a number, "string", symbol, <data> or (list)');
        if (string !== undefined) return string.replace(/\\([^])/g, (_, escaped) => (escaped === "n" ? "\n" : escaped));
        if (data !== undefined) return decodeBase64(data) ?? expected("Base64");
        if (digits) return readNumber(digits);
        return name ? new MbusSymbol(name) : list(depth + 1);
    };
    return {
        ended_: () => at >= text.length,
        expected_: expected,
        value_: value,
        command_(): Command {
            const [, name] = take(commandName) ?? expected("name (");
            const args = list(1);
            if (!take(commandEnd)) expected("a line end");
            return { name, args };
        },
    };
}

// Reads a payload: zero or more commands between line ends. Throws bad-command.
export function parseCommands(text: string): Command[] {
    const { ended_, expected_, command_ } = reader(text);
    const commands: Command[] = [];
    while (!ended_()) if (commands.push(command_()) > commandsMax) expected_("fewer commands");
    return commands;
}

// Reads exactly one value: "(1 2.5 on)". Throws bad-command.
export function parseValue(text: string): Value {
    const { ended_, expected_, value_ } = reader(text);
    const value = value_(0);
    return ended_() ? value : expected_("the end");
}
