// The values of Mbus commands (RFC 3259, section 5.3) in JavaScript.
//
// | Mbus    | JavaScript |
// |---------|------------|
// | integer | number without a fraction; bigint beyond +-(2^53 - 1); booleans are written as 1 and 0 |
// | float   | number with a fraction (2.5); Float where there is none (2.0) or where no double holds it |
// | string  | string |
// | symbol  | MbusSymbol |
// | data    | Uint8Array |
// | list    | array |

export type Value = number | bigint | boolean | string | MbusSymbol | Float | Uint8Array | readonly Value[];

// A bare word such as `on`: symbol("on").
export class MbusSymbol {
    constructor(readonly name: string) {}
    toString(): string {
        return this.name;
    }
}

export const symbol = (name: string): MbusSymbol => new MbusSymbol(name);

// A float whose number does not show that it is one: float(2) is 2.0. It computes like a number.
export class Float {
    // `digits`: as they were written, where a double would lose them.
    constructor(
        readonly value: number,
        readonly digits?: string,
    ) {}
    valueOf(): number {
        return this.value;
    }
    toString(): string {
        return this.digits ?? `${this.value}`;
    }
}

export const float = (value: number): Float => new Float(value);

// A command: a dotted name and its values.
export interface Command {
    readonly name: string;
    readonly args: readonly Value[];
}

// command("player.play", "song.mp3", 3)
export const command = (name: string, ...args: Value[]): Command => ({ name, args });
