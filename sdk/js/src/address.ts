// An Mbus address: a set of tag:value elements (RFC 3259, section 4).
//
//     const player = new Address("(media:audio app:player)");
//     player.text;                            // "(app:player media:audio)"
//     player.answersTo("(media:audio)");      // true
//     player.get("app");                      // "player"
//
// Immutable. Its text is canonical, elements sorted, so equal addresses have equal texts.
import { fail } from "./errors.js";
import { elementsMax } from "./limits.js";

// Tags and values have 32 and 64 characters at most (RFC 3259, section 4).
const element = /^([A-Za-z]{1,32}):([!-'*-~]{1,64})$/;

export class Address {
    readonly text: string;
    private tags_: Map<string, string>;

    // Reads "(app:rat id:7-1@10.0.0.1)", and also "app:rat". Throws bad-address.
    constructor(text: string) {
        const elements = (text.replace(/^\((.*)\)$/, "$1").match(/[^ \t]+/g) ?? []).sort();
        this.tags_ = new Map(elements.map((each) => (element.exec(each)?.slice(1) ?? []) as [string, string]));
        if (this.tags_.size < elements.length || this.tags_.has(undefined!) || elements.length > elementsMax) {
            fail("bad-address", `expected (tag:value ...), each tag once: ${text}`);
        }
        this.text = `(${elements.join(" ")})`;
    }

    // The value of the element `tag`.
    get(tag: string): string | undefined {
        return this.tags_.get(tag);
    }

    // Tag and value of each element, sorted by tag.
    elements(): [string, string][] {
        return [...this.tags_];
    }

    // True when an entity with this address processes a message sent to `target`.
    answersTo(target: Address | string): boolean {
        return asAddress(target).elements().every(([tag, value]) => this.get(tag) === value);
    }

    toString(): string {
        return this.text;
    }
}

export const asAddress = (what: Address | string): Address => (what instanceof Address ? what : new Address(what));
