// An Mbus address: a set of tag:value elements (RFC 3259, section 4).
//
//     const player = Address.parse("(media:audio app:player)");
//     player.text;                            // "(app:player media:audio)"
//     player.answersTo("(media:audio)");      // true
//     player.get("app");                      // "player"
//
// Immutable. Its text is canonical, elements sorted, so equal addresses have equal texts.
import { MbusError } from "./errors.js";

const tagMax = 32; // RFC 3259, section 4
const valueMax = 64; // RFC 3259, section 4
// The RFC sets no limit; real addresses have 2 to 8 elements.
const elementsMax = 32;

const bad = (expected: string, at: number) => new MbusError("bad-address", `expected ${expected}`, at);

// Reads the elements of `text` from `from` to `end`.
function readElements(text: string, from: number, end: number): [string, string][] {
    const elements: [string, string][] = [];
    const blank = /[ \t]*/y;
    const element = /([A-Za-z]*)(:?)([!-'*-~]*)/y;
    for (let at = from; ; ) {
        blank.lastIndex = at;
        const start = at + blank.exec(text)![0].length;
        if (start >= end) return elements;
        if (start === at && at !== from) throw bad("a blank between elements", at);
        element.lastIndex = start;
        const [all, tag, colon, value] = element.exec(text)!;
        if (!tag || tag.length > tagMax) throw bad("a tag of 1 to 32 letters", start);
        if (!colon) throw bad("':' after the tag", start + tag.length);
        if (!value || value.length > valueMax) throw bad("a value of 1 to 64 printable characters", start + tag.length + 1);
        if (elements.length === elementsMax) throw bad("at most 32 elements", start);
        if (elements.some(([other]) => other === tag)) throw bad("each tag once", start);
        elements.push([tag, value]);
        at = start + all.length;
    }
}

export class Address {
    readonly text: string;
    // Tag and value of each element, sorted by tag.
    readonly elements: readonly (readonly [string, string])[];

    private constructor(elements: [string, string][]) {
        this.elements = elements.sort(([a], [b]) => (a < b ? -1 : 1));
        this.text = `(${elements.map(([tag, value]) => `${tag}:${value}`).join(" ")})`;
    }

    // Reads "(app:rat id:7-1@10.0.0.1)"; with `relaxed` also "app:rat media:audio". Throws bad-address.
    static parse(text: string, relaxed = false): Address {
        if (relaxed && text[0] !== "(") return new Address(readElements(text, 0, text.length));
        if (text[0] !== "(") throw bad("'(' before the first element", 0);
        if (text.length < 2 || !text.endsWith(")")) throw bad("')' after the last element", text.length);
        return new Address(readElements(text, 1, text.length - 1));
    }

    // The value of the element `tag`.
    get(tag: string): string | undefined {
        return this.elements.find(([own]) => own === tag)?.[1];
    }

    // True when an entity with this address processes a message sent to `target`.
    answersTo(target: Address | string): boolean {
        const { elements } = typeof target === "string" ? Address.parse(target, true) : target;
        return elements.every(([tag, value]) => this.get(tag) === value);
    }

    toString(): string {
        return this.text;
    }
}

// The canonical text of an address given as text or object; "app:x" means "(app:x)".
export function addressText(what: Address | string): string {
    return typeof what === "string" ? Address.parse(what, true).text : what.text;
}
