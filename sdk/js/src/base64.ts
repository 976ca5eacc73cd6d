// Base64 as data in messages has it (RFC 3259, section 5.3): whole units of four characters; padding may
// also stand between them, and stray bits are ignored.

export const encodeBase64 = (octets: Uint8Array): string =>
    btoa(Array.from(octets, (octet) => String.fromCharCode(octet)).join(""));

// Undefined when `text`, of characters of Base64, is not Base64.
export function decodeBase64(text: string): Uint8Array | undefined {
    if (!/^(?:[^=]{4}|[^=]{3}=|[^=]{2}==)*$/.test(text)) return undefined;
    const octets = text.match(/[^=]*=*/g)!.map(atob).join("");
    return Uint8Array.from(octets, (octet) => octet.charCodeAt(0));
}
