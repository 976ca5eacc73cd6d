// Base64 as data in messages has it (RFC 3259, section 5.3): whole units of four characters; padding may
// also stand between them, and stray bits are ignored.

const pieceOctets = 8192; // as many arguments as every engine takes

export function encodeBase64(octets: Uint8Array): string {
    let text = "";
    for (let at = 0; at < octets.length; at += pieceOctets) {
        text += String.fromCharCode(...octets.subarray(at, at + pieceOctets));
    }
    return btoa(text);
}

// Undefined when `text` is not Base64.
export function decodeBase64(text: string): Uint8Array | undefined {
    if (!/^(?:[\w+/]{4}|[\w+/]{3}=|[\w+/]{2}==)*$/.test(text) || text.includes("_")) return undefined;
    const octets = (text.match(/[^=]+=*/g) ?? []).map(atob).join("");
    return Uint8Array.from(octets, (octet) => octet.charCodeAt(0));
}
