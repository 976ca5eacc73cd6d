// Who is on the bus: address, host, how long, how many messages a second.
import { Facts, number, text } from "./daemon";
import { byId, gathered, make, showAddress, showDuration } from "./dom";

interface Shown {
    host: string;
    name: string;
    since: number; // ms of performance.now()
    row: HTMLElement;
    age: HTMLElement;
    rate: HTMLElement;
    sent: number[]; // when its messages came
}

const rowsMax = 1000; // more entities than that are counted, not shown
const rateSpan = 10_000; // ms
const rateCap = 5000; // messages of one sender that are remembered

export class PeersPanel {
    private peers = new Map<string, Shown>();
    private body = byId("peers");
    private filter = byId<HTMLInputElement>("peer-filter");
    private draw = gathered(() => this.show());

    // `pick` is called with the address that was chosen.
    constructor(private readonly pick: (address: string) => void) {
        this.filter.addEventListener("input", () => this.draw());
        setInterval(() => this.refreshTimes(), 1000);
    }

    addresses(): string[] {
        return [...this.peers.keys()];
    }

    come(address: string): void {
        if (this.peers.has(address)) return;
        const button = make("button", "pick", showAddress(address));
        button.setAttribute("type", "button");
        button.setAttribute("aria-label", `Send to ${address}`);
        button.addEventListener("click", () => this.pick(address));
        const age = make("td", "number");
        const rate = make("td", "number");
        const row = make("tr", "", make("td", "", button), make("td", "address", hostOf(address)), age, rate);
        this.peers.set(address, { host: hostOf(address), name: "", since: performance.now(), row, age, rate, sent: [] });
        this.draw();
    }

    go(address: string): void {
        this.peers.delete(address);
        this.draw();
    }

    clear(): void {
        this.peers.clear();
        this.draw();
    }

    // What the daemon knows of them.
    learn(entries: Facts[]): void {
        for (const entry of entries) {
            const peer = this.peers.get(text(entry, "address"));
            if (!peer) continue;
            peer.since = performance.now() - number(entry, "age-ms");
            peer.name = text(entry, "name");
            const where = number(entry, "local") ? "this host" : text(entry, "host");
            peer.row.children[1].textContent = peer.name ? `${where}, ${peer.name}` : where;
        }
        this.refreshTimes();
    }

    heard(from: string): void {
        const sent = this.peers.get(from)?.sent;
        if (sent && sent.length < rateCap) sent.push(performance.now());
    }

    private refreshTimes(): void {
        const now = performance.now();
        for (const { since, age, rate, sent } of this.peers.values()) {
            while (sent.length && sent[0] < now - rateSpan) sent.shift();
            setText(age, showDuration(now - since));
            const perSecond = (sent.length * 1000) / rateSpan;
            setText(rate, perSecond >= 10 ? String(Math.round(perSecond)) : perSecond ? perSecond.toFixed(1) : "–");
        }
    }

    private show(): void {
        const words = this.filter.value.toLowerCase().split(/\s+/);
        const fitting = [...this.peers]
            .filter(([address, { name }]) => words.every((word) => `${address} ${name}`.toLowerCase().includes(word)))
            .sort(([a], [b]) => (a < b ? -1 : 1));
        this.body.replaceChildren(...fitting.slice(0, rowsMax).map(([, { row }]) => row));
        setText(byId("peer-count"), String(this.peers.size));
        this.refreshTimes();
    }
}

const hostOf = (address: string): string => /@([^ )]+)/.exec(address)?.[1] ?? "";

function setText(where: HTMLElement, what: string): void {
    if (where.textContent !== what) where.textContent = what;
}
