// What goes wrong, with a code to decide by and a text that says what to do.
//
//     try { await me.sendReliably("(app:player)", "player.play(1)"); }
//     catch (failure) { if (failure.code === "no-match") ... }

// The codes of MBWS (docs/mbws.md, section 6), and those that arise in this client: `syntax`,
// `bad-value`, `bad-argument`, `disconnected`, `timed-out`, `cancelled`, `remote-failed`.
export class MbusError extends Error {
    readonly code: string;
    // Where in a text reading failed, in UTF-16 units; undefined: no place.
    readonly offset?: number;

    constructor(code: string, text: string, offset?: number) {
        super(offset === undefined ? text : `${text} at ${offset}`);
        this.name = "MbusError";
        this.code = code;
        this.offset = offset;
    }
}

export function asMbusError(what: unknown): MbusError {
    return what instanceof MbusError ? what : new MbusError("internal", String((what as Error)?.message ?? what));
}
