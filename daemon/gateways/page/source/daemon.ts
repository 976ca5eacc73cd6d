// The daemon's own answers (docs/daemon-commands.md): peers, rights, sessions, status.
import { command, Connection, Entity, Value } from "@mbus/client";

export type Facts = Map<string, Value>;

const daemonAddress = "(app:mbusd module:mbusd)";
const pagesMax = 20; // of 200 entries each; a page with more rows helps nobody

// ("key" value) pairs.
export function facts(list: unknown): Facts {
    const pairs = Array.isArray(list) ? list.filter((each) => Array.isArray(each) && each.length === 2) : [];
    return new Map(pairs.map(([key, value]) => [String(key), value]));
}

export const number = (of: Facts, key: string): number => Number(of.get(key) ?? 0);
export const text = (of: Facts, key: string): string => String(of.get(key) ?? "");

export class Daemon {
    private constructor(
        private readonly me: Entity,
        readonly address: string,
        readonly status: Facts,
    ) {}

    // The daemon that this page is connected to: others on the bus refuse to answer, or have another id.
    static async find(bus: Connection, me: Entity): Promise<Daemon | undefined> {
        for (const address of await bus.peers(daemonAddress)) {
            try {
                const status = facts((await me.request(address, command("mbusd.status"))).results);
                if (text(status, "broker") === bus.broker) return new Daemon(me, address, status);
            } catch {
                // Another one.
            }
        }
        return undefined;
    }

    async ask(name: string, ...args: Value[]): Promise<Facts> {
        return facts((await this.me.request(this.address, command(name, ...args))).results);
    }

    // All entries of a list that is answered page by page.
    async list(name: string, key: string): Promise<Facts[]> {
        const entries: Facts[] = [];
        let next = 0;
        for (let page = 0; page < pagesMax; ++page) {
            const answer = await this.ask(name, next);
            const list = answer.get(key);
            if (Array.isArray(list)) entries.push(...list.map(facts));
            next = number(answer, "next");
            if (!next) break;
        }
        return entries;
    }
}
