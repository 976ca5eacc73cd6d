// The sessions of this daemon: what waits for them and what they have missed. Needs the right to administer.
import { Facts, number, text } from "./daemon";
import { byId, make, showDuration } from "./dom";

const rowsMax = 500;

export class SessionsPanel {
    forbidden(why: string): void {
        byId("sessions-note").textContent = why;
        byId("sessions-note").hidden = false;
        byId("sessions-table").hidden = true;
        byId("session-count").textContent = "–";
    }

    show(entries: Facts[]): void {
        byId("sessions-note").hidden = true;
        byId("sessions-table").hidden = false;
        byId("session-count").textContent = String(entries.length);
        const worst = [...entries].sort((a, b) => number(b, "queued-messages") - number(a, "queued-messages"));
        byId("sessions").replaceChildren(...worst.slice(0, rowsMax).map(row));
    }
}

function row(entry: Facts): HTMLElement {
    const waiting = number(entry, "queued-messages");
    const dropped = number(entry, "dropped");
    const away = number(entry, "connected") ? "" : " (away)";
    return make(
        "tr",
        "",
        make("td", "", (text(entry, "name") || `session ${text(entry, "session")}`) + away),
        make("td", "", text(entry, "user")),
        make("td", "number", waiting ? `${waiting.toLocaleString("en")} (${showOctets(number(entry, "queued-octets"))})` : "–"),
        make("td", dropped ? "number warn" : "number", dropped ? dropped.toLocaleString("en") : "–"),
        make("td", "number", number(entry, "delivered").toLocaleString("en")),
        make("td", "number", showDuration(number(entry, "age-ms"))),
    );
}

function showOctets(octets: number): string {
    if (octets < 10_000) return `${octets} B`;
    return octets < 10_000_000 ? `${Math.round(octets / 1000)} kB` : `${Math.round(octets / 1_000_000)} MB`;
}
