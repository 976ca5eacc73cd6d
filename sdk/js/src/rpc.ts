// Request and reply in the form of the Mbus guidelines:
//
//     name        ((("ID" "7") ("RPC-TYPE" "UNICAST")) (args))
//     name.return ((("ID" "7") ("RPC-STATUS" "OK")) ((OK OK "text") (results)))
import { fail, MbusError } from "./errors.js";
import { command, Command, symbol, Value } from "./value.js";

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

const asList = (value: unknown): readonly Value[] => (Array.isArray(value) ? value : []);

// The value of `key` in (("ID" "7") ("RPC-TYPE" "UNICAST")).
function property(properties: Value | undefined, key: string): Value | undefined {
    const pair = asList(properties).find((each) => String(asList(each)[0]) === key);
    return asList(pair)[1];
}

export const idOf = ({ args }: Command): string => String(property(args[0], "ID"));

export const callCommand = ({ name, args }: Command, id: string): Command =>
    command(name, [["ID", id], ["RPC-TYPE", "UNICAST"]], args);

// True for a command in the form of a request.
export const isCall = ({ name, args }: Command): boolean =>
    Array.isArray(args[1]) && !name.startsWith("mbus.") && property(args[0], "RPC-TYPE") !== undefined;

// The answer to a call; a failure with the code `not-found` says that the request is unknown.
export function answerCommand({ name, args }: Command, outcome: Answer | MbusError): Command {
    const failed = outcome instanceof MbusError;
    const { status = "OK", code = "OK", text = "", results = [] }: Partial<Reply> = failed
        ? { status: "FAILED", code: outcome.code, text: outcome.message }
        : Array.isArray(outcome) ? { results: outcome } : { ...(outcome as Partial<Reply>) };
    const rpcStatus = !failed ? "OK" : code === "not-found" ? "UNKNOWN" : "FAILED";
    const id = property(args[0], "ID") ?? "";
    return command(name + returnSuffix, [["ID", id], ["RPC-STATUS", rpcStatus]], [[symbol(status), symbol(code), text], results]);
}

// What an answer says. Throws remote-failed.
export function readAnswer({ args }: Command, from: string): Reply {
    const rpcStatus = String(property(args[0], "RPC-STATUS") ?? "OK");
    const [inner, results] = asList(args[1]);
    const [status = "OK", code = "OK", text = ""] = asList(inner).map(String);
    const about = rpcStatus === "UNKNOWN" ? "does not know this request" : "could not do it";
    if (rpcStatus !== "OK") fail("remote-failed", `${from} ${about}: ${text}`);
    return { from, status, code, text, results: asList(results) };
}
