// Request and reply in the form of the Mbus guidelines:
//
//     name        ((("ID" "7") ("RPC-TYPE" "UNICAST")) (args))
//     name.return ((("ID" "7") ("RPC-STATUS" "OK")) ((OK OK "text") (results)))
import { fail } from "./errors.js";
import { command, Command, Value } from "./value.js";

// An answer: its status and result code are words of the callee's choice, OK if it chose none.
export interface Reply {
    from: string;
    status: string;
    code: string;
    text: string;
    results: readonly Value[];
}

export const returnSuffix = ".return";

const asList = (value: unknown): readonly Value[] => (Array.isArray(value) ? value : []);

// The value of `key` in (("ID" "7") ("RPC-TYPE" "UNICAST")).
export function property(properties: Value | undefined, key: string): Value | undefined {
    const pair = asList(properties).find((each) => String(asList(each)[0]) === key);
    return asList(pair)[1];
}

export const idOf = ({ args }: Command): string => String(property(args[0], "ID"));

export const callCommand = ({ name, args }: Command, id: string): Command =>
    command(name, [["ID", id], ["RPC-TYPE", "UNICAST"]], args);

// What an answer says. Throws remote-failed.
export function readAnswer({ args }: Command, from: string): Reply {
    const rpcStatus = String(property(args[0], "RPC-STATUS") ?? "OK");
    const [inner, results] = asList(args[1]);
    const [status = "OK", code = "OK", text = ""] = asList(inner).map(String);
    if (rpcStatus !== "OK") fail("remote-failed", `${from} answered ${rpcStatus}: ${text}`);
    return { from, status, code, text, results: asList(results) };
}
