// The form that sends: completion of addresses, who would get it, and what became of it.
import { Address, Entity, MbusError, parseCommands } from "@mbus/client";
import { byId, make } from "./dom";

const offeredMax = 200; // addresses in the completion

export class SendPanel {
    private to = byId<HTMLInputElement>("send-to");
    private command = byId<HTMLTextAreaElement>("send-command");
    private reliable = byId<HTMLInputElement>("send-reliable");
    private outcome = byId("outcome");
    private me?: Entity;

    // `addresses` tells who is there.
    constructor(private readonly addresses: () => string[]) {
        byId("send-form").addEventListener("submit", (event) => {
            event.preventDefault();
            void this.send();
        });
        this.to.addEventListener("input", () => this.preview());
        this.command.addEventListener("keydown", (event) => {
            if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void this.send();
        });
    }

    use(me: Entity | undefined): void {
        this.me = me;
    }

    fill(address: string): void {
        this.to.value = address;
        this.preview();
        this.command.focus();
    }

    // Who is there has changed.
    refresh(): void {
        const offered = new Set<string>(["()"]);
        for (const address of this.addresses()) {
            const elements = address.slice(1, -1).split(" ").filter((each) => !each.startsWith("id:"));
            for (const element of elements) offered.add(`(${element})`);
            offered.add(`(${elements.join(" ")})`);
            offered.add(address);
            if (offered.size > offeredMax) break;
        }
        const options = [...offered].slice(0, offeredMax).map((value) => {
            const option = make("option") as HTMLOptionElement;
            option.value = value;
            return option;
        });
        byId("addresses").replaceChildren(...options);
        this.preview();
    }

    private preview(): void {
        const written = this.to.value.trim();
        byId("matches").textContent = written ? describe(written, this.addresses()) : "";
    }

    private say(kind: "good" | "bad" | "", text: string): void {
        this.outcome.dataset.kind = kind;
        this.outcome.textContent = text;
    }

    private async send(): Promise<void> {
        const reliable = this.reliable.checked;
        try {
            if (!this.me) throw new MbusError("no-entity", "this page is not on the bus");
            parseCommands(this.command.value);
            this.say("", "Sending…");
            const to = this.to.value.trim();
            const { matched, entity, took } = reliable
                ? await this.me.sendReliably(to, this.command.value)
                : await this.me.sendWithReceipt(to, this.command.value);
            if (reliable) this.say("good", `Taken by ${entity ?? "one entity"} in ${took ?? 0} ms`);
            else if (matched) this.say("good", `Sent to ${matched === 1 ? "1 entity" : `${matched} entities`}`);
            else this.say("bad", "Sent, but no entity fits this address");
        } catch (failure) {
            const { code, message } = failure as MbusError;
            this.say("bad", code ? `${code}: ${message}` : message);
        }
    }
}

function describe(written: string, addresses: string[]): string {
    try {
        const target = new Address(written);
        const fitting = addresses.filter((each) => new Address(each).answersTo(target));
        if (!fitting.length) return "Nobody here fits";
        return fitting.length === 1 ? `Fits ${fitting[0]}` : `Fits ${fitting.length} entities`;
    } catch (failure) {
        return (failure as Error).message;
    }
}
