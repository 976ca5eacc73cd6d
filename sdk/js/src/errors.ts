// What goes wrong, with a code to decide by and a text that says what to do.
//
//     try { await me.sendReliably("(app:player)", "player.play(1)"); }
//     catch (failure) { if (failure.code === "no-match") ... }

// The codes of MBWS (docs/mbws.md, section 6), and those that arise in this client: `bad-value`,
// `bad-argument`, `disconnected`, `timed-out`, `cancelled`, `remote-failed`.
export class MbusError extends Error {
    name = "MbusError";
    constructor(
        readonly code: string,
        text = "",
    ) {
        super(text);
    }
}

export function fail(code: string, text: string): never {
    throw new MbusError(code, text);
}

export const asMbusError = (what: unknown): MbusError =>
    what instanceof MbusError ? what : new MbusError("internal", String((what as Error)?.message ?? what));
