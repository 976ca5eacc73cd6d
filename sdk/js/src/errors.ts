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

export const wrong = (what: string): never => fail("bad-frame", `the daemon sent ${what}`);

export const asMbusError = (what: unknown): MbusError =>
    (what as Error)?.name === "MbusError" ? (what as MbusError) : new MbusError("internal", String((what as Error)?.message ?? what));

// What an `error` or `nak` says.
export const failureOf = ({ code = "internal", text }: { code?: string; text?: string }) => new MbusError(code, text);
// True for codes after which connecting again would meet the same end (docs/mbws.md, section 6).
export const isFinal = ({ code }: MbusError): boolean =>
    /^(taken-over|unauthorized|forbidden|bad-.*|too-large|window)$/.test(code);
export const cancelled = (): MbusError => new MbusError("cancelled", "the connection was closed");
