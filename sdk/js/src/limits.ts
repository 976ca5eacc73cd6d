// Limits and times of the client, each with its reason.

// The RFC sets no limit; real addresses have 2 to 8 elements.
export const elementsMax = 32;
// Lists inside lists; deeper text is refused, so reading never overflows the stack.
export const depthMax = 64;
// Commands in one message; a datagram holds no more.
export const commandsMax = 32768;

// A binary frame begins with as many octets; its fields may have so many that H, of 16 bits, can say it.
export const headOctets = 16;
export const fieldsMax = 65500;
export const sizeMost = 1 << 20; // octets of a message that this program takes

export const ackDelay = 20; // ms (docs/mbws.md, section 4)
export const reasonMost = 1000; // characters of why a message is given back
export const delayFirst = 100; // ms until it connects again (docs/mbws.md, section 6)
export const delayMost = 10_000;
export const openingLimit = 10_000; // ms for handshake and `connected`, and for connect()
export const closingLimit = 5000; // ms
export const requestTimeout = 10_000; // ms; RFC 3259 has none, this is that of the other clients
export const timerMost = 0x7fffffff; // ms that a timer can measure
