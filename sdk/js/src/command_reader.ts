// Reads commands and values in the syntax of RFC 3259, section 5.3, as leniently as the daemon does: LF as
// line end, blanks before and inside parentheses, raw line ends in strings, `\x` as x.
import { decodeBase64 } from "./base64.js";
import { fail } from "./errors.js";
import { Command, Float, MbusSymbol, Value } from "./value.js";

// Lists inside lists; deeper text is refused, so reading never overflows the stack.
export const depthMax = 64;
// Commands in one message; a datagram holds no more.
const commandsMax = 32768;

const number = /-?\d+(?:\.\d+)?/y;
const word = /[A-Za-z][\w.-]*/y;
const blanks = /[ \t]*/y;
// In a string: what stands for itself, and escapes. Runs, so that long strings need no deep matching.
const plain = /[^"\\\0\x7f]*/y;
const escape = /\\[^\0\x7f]/y;
const base64 = /[\w+/=]*/y;
const lineEnd = /\r?\n/y;

// An integer that a number holds exactly is a number, a larger one a bigint; a float that looks like an
// integer, or that no double holds, keeps its kind in a Float.
function readNumber(digits: string): Value {
    const value = Number(digits);
    if (!digits.includes(".")) return Number.isSafeInteger(value) ? value + 0 : BigInt(digits);
    if (!isFinite(value) || (!value && /[1-9]/.test(digits))) return new Float(value, digits);
    return Number.isInteger(value) ? new Float(value) : value;
}

function reader(text: string) {
    let at = 0;
    const expected = (what: string) => fail("bad-command", `expected ${what} at ${at}`);
    const sees = (character: string) => text[at] === character;
    // What the sticky pattern matches here, which is then behind us; "" when it does not.
    const take = (pattern: RegExp) => {
        pattern.lastIndex = at;
        const found = pattern.exec(text)?.[0] ?? "";
        at += found.length;
        return found;
    };
    const skip = (character: string) => void (sees(character) ? ++at : expected(character));
    const string = () => {
        let out = "";
        for (skip('"'); !sees('"'); ) {
            const run = take(plain);
            const escaped = take(escape)[1] ?? "";
            if (!run && !escaped) expected('a closing ", no NUL or DEL');
            out += run + (escaped === "n" ? "\n" : escaped);
        }
        ++at;
        return out;
    };
    const data = () => {
        skip("<");
        const octets = decodeBase64(take(base64));
        skip(">");
        return octets ?? expected("Base64");
    };
    const list = (depth: number) => {
        const values: Value[] = [];
        if (depth > depthMax) expected("64 lists deep at most");
        skip("(");
        take(blanks);
        while (!sees(")")) {
            values.push(value(depth));
            if (!take(blanks) && !sees(")")) expected("a blank or )");
        }
        ++at;
        return values;
    };
    const value = (depth: number): Value => {
        if (sees("(")) return list(depth + 1);
        if (sees('"')) return string();
        if (sees("<")) return data();
        const name = take(word);
        if (name) return new MbusSymbol(name);
        const digits = take(number) || expected('a number, "string", symbol, <data> or (list)');
        return sees(".") ? expected("a digit") : readNumber(digits);
    };
    return {
        ended_: () => at >= text.length,
        expected_: expected,
        value_: value,
        command_(): Command {
            const name = take(word) || expected("a command name");
            take(blanks);
            const args = list(1);
            take(blanks);
            if (!take(lineEnd) && at < text.length) expected("a line end");
            return { name, args };
        },
    };
}

// Reads a payload: zero or more commands between line ends. Throws bad-command.
export function parseCommands(text: string): Command[] {
    const { ended_, expected_, command_ } = reader(text);
    const commands: Command[] = [];
    while (!ended_()) if (commands.push(command_()) > commandsMax) expected_("32768 commands at most");
    return commands;
}

// Reads exactly one value: "(1 2.5 on)". Throws bad-command.
export function parseValue(text: string): Value {
    const { ended_, expected_, value_ } = reader(text);
    const value = value_(0);
    return ended_() ? value : expected_("the end");
}
