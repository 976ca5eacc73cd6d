// Request and reply in the form of the Mbus guidelines:
//
//     name        ((("ID" "7") ("RPC-TYPE" "UNICAST")) (args))
//     name.return ((("ID" "7") ("RPC-STATUS" "OK")) ((OK OK "text") (results)))
import { formatValue } from "./command_writer.js";
import { MbusError } from "./errors.js";
import { command, Command, MbusSymbol, symbol, Value } from "./value.js";

// An answer: its status and result code are words of the callee's choice, OK if it chose none.
export interface Reply {
    from: string;
    status: string;
    code: string;
    text: string;
    results: readonly Value[];
}

// A request as its handler sees it.
export interface Call {
    readonly from: string;
    readonly to: string;
    readonly name: string;
    readonly args: readonly Value[];
}

// What a handler returns, or promises: results, or a reply with words of its own.
export type Answer = readonly Value[] | Partial<Omit<Reply, "from">> | void;
export type CallHandler = (call: Call) => Answer | Promise<Answer>;

export const returnSuffix = ".return";

const isList = (value: unknown): value is readonly Value[] => Array.isArray(value);

function wordOf(value: Value | undefined): string {
    if (value === undefined) return "";
    return typeof value === "string" ? value : value instanceof MbusSymbol ? value.name : formatValue(value);
}

// The value of `key` in (("ID" "7") ("RPC-TYPE" "UNICAST")).
export function property(properties: Value | undefined, key: string): Value | undefined {
    if (!isList(properties)) return undefined;
    const pair = properties.find((each) => isList(each) && each.length === 2 && wordOf(each[0]) === key);
    return (pair as readonly Value[] | undefined)?.[1];
}

export const idOf = (what: Command): string => wordOf(property(what.args[0], "ID"));

export const callCommand = (what: Command, id: string): Command =>
    command(what.name, [["ID", id], ["RPC-TYPE", "UNICAST"]], what.args);

// True for a command in the form of a request.
export const isCall = ({ name, args }: Command): boolean =>
    args.length === 2 && !name.startsWith("mbus.") && isList(args[1]) && !!idOf({ name, args }) &&
    property(args[0], "RPC-TYPE") !== undefined;

// The answer to a call; a failure with the code `not-found` says that the request is unknown.
export function answerCommand(what: Command, outcome: Answer | MbusError): Command {
    const failed = outcome instanceof MbusError;
    const { status, code, text, results }: Partial<Reply> = failed
        ? { status: "FAILED", code: outcome.code, text: outcome.message }
        : isList(outcome) ? { results: outcome } : outcome ?? {};
    return command(
        what.name + returnSuffix,
        [["ID", property(what.args[0], "ID")!], ["RPC-STATUS", !failed ? "OK" : code === "not-found" ? "UNKNOWN" : "FAILED"]],
        [[symbol(status ?? "OK"), symbol(code ?? "OK"), text ?? ""], results ?? []],
    );
}

// What an answer says. Throws remote-failed.
export function readAnswer({ args }: Command, from: string): Reply {
    const rpcStatus = wordOf(property(args[0], "RPC-STATUS")) || "OK";
    const body = isList(args[1]) ? args[1] : [];
    const inner = isList(body[0]) ? body[0] : [];
    const reply: Reply = {
        from,
        status: wordOf(inner[0]) || "OK",
        code: wordOf(inner[1]) || "OK",
        text: wordOf(inner[2]),
        results: isList(body[1]) ? body[1] : [],
    };
    if (rpcStatus === "OK") return reply;
    const about = rpcStatus === "UNKNOWN" ? " does not know this request" : " could not do it";
    throw new MbusError("remote-failed", from + about + (reply.text && `: ${reply.text}`));
}
