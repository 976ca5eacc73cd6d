// Answers requests: a small module beside the client.
//
//     import { handle } from "@mbus/client/handle";
//     const stop = handle(me, "door.*", async ({ name, args, from }) => [await door.run(name, args)]);
//
// In the form of the Mbus guidelines (rpc.ts), like `mbus call` and the C++ SDK.
import { command, formatCommands, symbol } from "./mbus-client.js";
import type { Command, Entity, Filter, Message, Reply, Value } from "./mbus-client.js";
import { property, returnSuffix } from "./rpc.js";

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

type Rule = [globs: string, handler: CallHandler];
const rulesOf = new WeakMap<Entity, Set<Rule>>();

// True for a command in the form of a request.
const isCall = ({ name, args }: Command): boolean =>
    Array.isArray(args[1]) && !name.startsWith("mbus.") && property(args[0], "RPC-TYPE") !== undefined;

// True when `name` fits one of the comma-separated globs: `*` any run of characters, `?` one.
export function globMatches(globs: string, name: string): boolean {
    const escaped = globs.replace(/[^\w,*?-]/g, "\\$&").replace(/\*+/g, ".*").replace(/\?/g, ".");
    return new RegExp(`^(?:${escaped.replace(/,/g, "|")})$`, "s").test(name);
}

// The answer to a call, in RFC syntax. Throws bad-value.
function answerText({ name, args }: Command, rpcStatus: string, { status = "OK", code = "OK", text = "", results = [] }: Partial<Reply>): string {
    const id = property(args[0], "ID") ?? "";
    const outcome = [symbol(status), symbol(code), text];
    return formatCommands([command(name + returnSuffix, [["ID", id], ["RPC-STATUS", rpcStatus]], [outcome, results])]);
}

async function answer({ from, to }: Message, what: Command, handler?: CallHandler): Promise<string> {
    const { name, args } = what;
    try {
        if (!handler) return answerText(what, "UNKNOWN", { status: "FAILED", code: "not-found", text: `unknown request ${name}` });
        const done = await handler({ from, to, name, args: args[1] as readonly Value[] });
        return answerText(what, "OK", Array.isArray(done) ? { results: done } : { ...(done as Partial<Reply>) });
    } catch (failure) {
        const { code, message } = failure as { code?: string; message?: string };
        const known = typeof code === "string" && /^[A-Za-z][\w.-]*$/.test(code) ? code : "internal";
        return answerText(what, "FAILED", { status: "FAILED", code: known, text: `${message ?? failure}`.replace(/[\0\x7f]/g, " ") });
    }
}

const filterOf =
    (entity: Entity, rules: Set<Rule>): Filter =>
    (what, message) => {
        if (!rules.size || !isCall(what)) return false;
        const [, handler] = [...rules].reverse().find(([globs]) => globMatches(globs, what.name)) ?? [];
        // A call to a group is answered by those who know it.
        if (!handler && !message.reliable && message.to !== entity.address) return false;
        return answer(message, what, handler).then((reply) => entity.sendReliably(message.from, reply));
    };

// Answers requests whose names fit the globs; returns what ends it. What the handler throws is the caller's
// failure. An unknown request is answered too, once there is any handler.
export function handle(entity: Entity, globs: string, handler: CallHandler): () => void {
    let rules = rulesOf.get(entity);
    if (!rules) {
        rulesOf.set(entity, (rules = new Set()));
        entity.intercept(filterOf(entity, rules));
    }
    const rule: Rule = [globs, handler];
    rules.add(rule);
    return () => void rules!.delete(rule);
}
