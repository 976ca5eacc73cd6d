// Messages as they come, newest first, with a filter; the last few hundred are kept.
import type { Message } from "@mbus/client";
import { byId, gathered, make, showAddress } from "./dom";

interface Heard {
    words: string; // what the filter looks at
    row: HTMLElement;
}

const keptMax = 500;
const bodyShownMax = 2000; // characters

export class MessagesPanel {
    private kept: Heard[] = []; // oldest first
    private fresh: Heard[] = [];
    private count = 0;
    private paused = false;
    private list = byId("messages");
    private filter = byId<HTMLInputElement>("message-filter");
    private draw = gathered(() => this.show());

    constructor() {
        const pause = byId("pause");
        pause.addEventListener("click", () => {
            this.paused = !this.paused;
            pause.setAttribute("aria-pressed", String(this.paused));
            pause.textContent = this.paused ? "Go on" : "Pause";
            if (!this.paused) this.draw();
        });
        byId("clear").addEventListener("click", () => this.clear());
        this.filter.addEventListener("input", () => this.showAll());
    }

    clear(): void {
        this.kept = [];
        this.fresh = [];
        this.count = 0;
        this.list.replaceChildren();
        byId("message-count").textContent = "0";
    }

    add(message: Message): void {
        ++this.count;
        const said = bodyText(message);
        const row = make("li", "fresh", route(message), make("div", "said", said));
        this.fresh.push({ words: `${message.from} ${message.to} ${said}`.toLowerCase(), row });
        if (this.fresh.length > keptMax) this.fresh.shift();
        if (!this.paused) this.draw();
    }

    private fits({ words }: Heard): boolean {
        const wanted = this.filter.value.toLowerCase().split(/\s+/);
        return wanted.every((word) => words.includes(word));
    }

    private show(): void {
        if (this.paused) return;
        const fresh = this.fresh;
        this.fresh = [];
        this.kept.push(...fresh);
        for (const old of this.kept.splice(0, Math.max(0, this.kept.length - keptMax))) old.row.remove();
        const rows = fresh.filter((each) => each.row.isConnected || this.fits(each)).map(({ row }) => row);
        this.list.prepend(...rows.reverse());
        byId("message-count").textContent = this.count.toLocaleString("en");
    }

    private showAll(): void {
        const rows = this.kept.filter((each) => this.fits(each)).map(({ row }) => row);
        rows.forEach((row) => row.classList.remove("fresh"));
        this.list.replaceChildren(...rows.reverse());
    }
}

function route({ from, to, reliable, time, interface: heardOn }: Message): HTMLElement {
    const at = new Date(time || Date.now());
    const when = make("time", "", `${at.toTimeString().slice(0, 8)}.${String(at.getMilliseconds()).padStart(3, "0")}`);
    const line = make("div", "route", when, showAddress(from), make("span", "tag", "→"), showAddress(to));
    if (reliable) line.append(make("span", "mark", "reliable"));
    if (heardOn) line.append(make("span", "mark", heardOn));
    return line;
}

function bodyText(message: Message): string {
    if (message.type !== "application/mbus") return `${message.type}, ${message.body.length} octets`;
    let text: string;
    try {
        text = message.text.trim();
    } catch {
        text = `${message.body.length} octets that are no text`;
    }
    return text.length > bodyShownMax ? `${text.slice(0, bodyShownMax)} … (${text.length} characters)` : text || "(no command)";
}
