// Reads commands and values in the syntax of RFC 3259, section 5.3, as leniently as the daemon does: LF as
// line end, blanks before and inside parentheses, raw line ends in strings, `\x` as x.
import { decodeBase64 } from "./base64.js";
import { MbusError } from "./errors.js";
import { Command, Float, MbusSymbol, Value } from "./value.js";

// Lists inside lists; deeper text is refused, so reading never overflows the stack.
const depthMax = 64;
// Commands in one message; a datagram holds no more.
const commandsMax = 32768;

const number = /-?\d+(?:(\.)\d+)?/y;
const word = /[A-Za-z][\w.-]*/y;
const blanks = /[ \t]*/y;
// In a string: what stands for itself. Surrogates come in pairs only.
const plain = /[^"\\\0\x7f]*/y;
const base64 = /[A-Za-z0-9+/=]*/y;
const lineEnd = /\r?\n/y;

export class CommandReader {
    private at_ = 0;

    constructor(private readonly text_: string) {}

    private fail_(expected: string, code = "bad-command"): never {
        throw new MbusError(code, `expected ${expected}`, this.at_);
    }

    // What the sticky pattern matches here, which is then behind us; "" when it does not.
    private take_(pattern: RegExp): string {
        pattern.lastIndex = this.at_;
        const found = pattern.exec(this.text_)?.[0] ?? "";
        this.at_ += found.length;
        return found;
    }

    private list_(depth: number): Value[] {
        if (depth > depthMax) this.fail_("at most 64 lists inside each other");
        const values: Value[] = [];
        ++this.at_;
        this.take_(blanks);
        while (this.text_[this.at_] !== ")") {
            values.push(this.value_(depth));
            if (!this.take_(blanks) && this.text_[this.at_] !== ")") this.fail_("a blank or ')' after a value");
        }
        ++this.at_;
        return values;
    }

    private value_(depth: number): Value {
        const first = this.text_[this.at_] ?? "";
        if (first === "(") return this.list_(depth + 1);
        if (first === '"') return this.string_();
        if (first === "<") return this.data_();
        const name = this.take_(word);
        if (name) return new MbusSymbol(name);
        const digits = this.take_(number);
        if (digits) {
            if (this.text_[this.at_] === ".") this.fail_("a digit after the point");
            return readNumber(digits);
        }
        return this.fail_('a value: number, "string", symbol, <data> or (list)');
    }

    private string_(): string {
        let out = "";
        ++this.at_;
        for (;;) {
            out += this.take_(plain);
            const stop = this.text_[this.at_++];
            if (stop === '"') break;
            const escaped = this.text_[this.at_];
            if (stop !== "\\" || escaped === undefined || escaped === "\0" || escaped === "\x7f") {
                --this.at_;
                this.fail_("'\"' at the end of the string, and no NUL or DEL in it");
            }
            out += escaped === "n" ? "\n" : escaped;
            ++this.at_;
        }
        return out;
    }

    private data_(): Uint8Array {
        ++this.at_;
        const octets = decodeBase64(this.take_(base64));
        if (!octets || this.text_[this.at_] !== ">") this.fail_("complete Base64 units and '>' at the end of data");
        ++this.at_;
        return octets!;
    }

    command(): Command {
        const name = this.take_(word) || this.fail_("a command name");
        this.take_(blanks);
        if (this.text_[this.at_] !== "(") this.fail_("'(' after the command name");
        const args = this.list_(1);
        this.take_(blanks);
        if (!this.take_(lineEnd) && !this.ended) this.fail_("a line end after the command");
        return { name, args };
    }

    single(): Value {
        try {
            const value = this.value_(0);
            return this.ended ? value : this.fail_("the end of the value");
        } catch (failure) {
            throw new MbusError("bad-value", (failure as Error).message);
        }
    }

    get ended(): boolean {
        return this.at_ >= this.text_.length;
    }
}

// An integer that a number holds exactly is a number, a larger one a bigint; a float that looks like an
// integer, or that no double holds, keeps its kind in a Float.
function readNumber(digits: string): Value {
    const value = Number(digits);
    if (!digits.includes(".")) return Number.isSafeInteger(value) ? value + 0 : BigInt(digits);
    const lost = !Number.isFinite(value) || (value === 0 && /[1-9]/.test(digits));
    if (lost) return new Float(value, digits);
    return Number.isInteger(value) ? new Float(value) : value;
}

// Reads a payload: zero or more commands between line ends. Throws bad-command.
export function parseCommands(text: string): Command[] {
    const reader = new CommandReader(text);
    const commands: Command[] = [];
    while (!reader.ended) {
        if (commands.length === commandsMax) throw new MbusError("bad-command", "expected at most 32768 commands");
        commands.push(reader.command());
    }
    return commands;
}

// Reads exactly one value: "(1 2.5 on)". Throws bad-value.
export const parseValue = (text: string): Value => new CommandReader(text).single();
