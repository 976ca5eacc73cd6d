// Base64 as data in messages has it (RFC 3259, section 5.3): whole units of four characters; padding may
// also stand between them, and stray bits are ignored.

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const digits = new Int8Array(128).fill(-1);
for (let i = 0; i < 64; ++i) digits[alphabet.charCodeAt(i)] = i;

export function encodeBase64(octets: Uint8Array): string {
    let out = "";
    for (let at = 0; at < octets.length; at += 3) {
        const left = octets.length - at;
        const group = (octets[at] << 16) | ((octets[at + 1] ?? 0) << 8) | (octets[at + 2] ?? 0);
        out += alphabet[group >> 18] + alphabet[(group >> 12) & 63];
        out += (left > 1 ? alphabet[(group >> 6) & 63] : "=") + (left > 2 ? alphabet[group & 63] : "=");
    }
    return out;
}

// Undefined when `text` is not Base64.
export function decodeBase64(text: string): Uint8Array | undefined {
    if (text.length % 4) return undefined;
    const out = new Uint8Array((text.length / 4) * 3);
    let size = 0;
    for (let at = 0; at < text.length; at += 4) {
        let padding = 0;
        let group = 0;
        for (let i = at; i < at + 4; ++i) {
            const padded = text[i] === "=" && i >= at + 2;
            const digit = padded ? 0 : digits[text.charCodeAt(i)] ?? -1;
            if (digit < 0 || (padding && !padded)) return undefined;
            if (padded) ++padding;
            group = (group << 6) | digit;
        }
        out.set([group >> 16, (group >> 8) & 255, group & 255], size);
        size += 3 - padding;
    }
    return out.subarray(0, size);
}
