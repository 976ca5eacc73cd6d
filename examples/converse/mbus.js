// A plugin for Converse (https://conversejs.org) that shows who is on the bus and the newest entries of feeds, as
// they come, in the element #mbus, and sends commands. Converse's own headline box shows only the first message of
// each sender, and it opens chats with names at a domain only.
//
//     converse.plugins.add("mbus", mbus);
//     converse.initialize({ whitelisted_plugins: ["mbus"], mbus_feeds: ["news"], ... });   // no feeds named: all of them
const pubsubSpace = "http://jabber.org/protocol/pubsub";
const entriesShown = 10;

export const mbus = {
    initialize() {
        const { _converse } = this;
        const { api } = _converse;
        api.settings.extend({ mbus_feeds: [] });
        const panel = new Panel(document.getElementById("mbus"));
        const start = () => new Watch(api, _converse.session, panel).open().catch((fault) => panel.say(reason(fault)));
        api.listen.on("connected", start);
        api.listen.on("reconnected", start);
    },
};

// What this login sees: it listens first and asks then, so that nothing is missed in between.
class Watch {
    constructor(api, session, panel) {
        this.api = api;
        this.panel = panel;
        this.connection = api.connection.get();
        this.me = session.get("bare_jid");
        const domain = session.get("domain");
        this.bus = `bus.${domain}`;
        this.pubsub = `pubsub.${domain}`;
    }

    async open() {
        this.panel.clear();
        const on = (name, from, handle) =>
            this.connection.addHandler((stanza) => (handle.call(this, stanza), true), null, name, null, null, from, { matchBareFromJid: true });
        on("presence", this.bus, this.presence);
        on("message", this.pubsub, this.event);
        on("message", this.bus, this.message);
        this.panel.onSend = (address, commands) => this.send(address, commands);
        this.api.send(this.stanza("presence", { type: "subscribe", to: this.bus }));
        const named = this.api.settings.get("mbus_feeds");
        for (const node of named.length ? named : await this.nodes()) await this.follow(node);
    }

    // Who is there now comes first, then joins and leaves (docs/xmpp.md, "Who is there").
    presence(stanza) {
        const from = stanza.getAttribute("from");
        const address = from.slice(from.indexOf("/") + 1);
        if (from.includes("/")) this.panel.entity(address, stanza.getAttribute("type") !== "unavailable");
    }

    // Reliably, to exactly one entity; the receipt or an error comes back (docs/xmpp.md, "Messages to the bus").
    send(address, commands) {
        const id = this.connection.getUniqueId();
        const message = this.stanza("message", { to: `${this.bus}/${address}`, id }).c("body").t(commands).up();
        this.api.send(message.c("request", { xmlns: "urn:xmpp:receipts" }));
        this.sent = id;
    }

    message(stanza) {
        const [delivered] = stanza.getElementsByTagName("delivered");
        const about = stanza.getElementsByTagName("received")[0]?.getAttribute("id") ?? stanza.getAttribute("id");
        if (delivered && about === this.sent) this.panel.say(`Delivered to ${delivered.getAttribute("entity")}`);
        else if (stanza.getAttribute("type") === "error" && about === this.sent) this.panel.say(reason(stanza));
        else if (!delivered) this.panel.message(stanza.querySelector("body")?.textContent);
    }

    event(stanza) {
        for (const items of stanza.querySelectorAll("event > items")) this.show(items);
    }

    show(items) {
        const node = items.getAttribute("node");
        for (const gone of items.querySelectorAll(":scope > retract")) this.panel.drop(node, gone.getAttribute("id"));
        for (const item of items.querySelectorAll(":scope > item")) this.panel.entry(node, item.getAttribute("id"), item.querySelector("entry"));
    }

    async nodes() {
        const answer = await this.ask("get", "query", "http://jabber.org/protocol/disco#items");
        return [...answer.querySelectorAll("item[node]")].map((item) => item.getAttribute("node"));
    }

    // The subscription is the account's: the next login finds it, and it does no harm to ask again.
    async follow(node) {
        await this.ask("set", "pubsub", pubsubSpace, "subscribe", { node, jid: this.me });
        const answer = await this.ask("get", "pubsub", pubsubSpace, "items", { node, max_items: entriesShown });
        for (const items of answer.querySelectorAll("pubsub > items")) this.show(items);
    }

    ask(type, name, space, child, attributes) {
        const iq = this.stanza("iq", { type, to: this.pubsub }).c(name, { xmlns: space });
        return this.api.sendIQ(child ? iq.c(child, attributes) : iq);
    }

    stanza(name, attributes) {
        return globalThis.converse.env.$build(name, { xmlns: "jabber:client", ...attributes });
    }
}

// The page. Texts of the bus and of entries stay texts.
class Panel {
    constructor(root) {
        this.root = root;
        this.clear();
    }

    clear() {
        this.lists = new Map();
        this.root.replaceChildren();
        this.entities = this.section("On the bus", "ul");
        this.entities.onclick = ({ target }) => target.matches("li") && (this.form.elements.address.value = target.textContent);
        this.form = this.root.appendChild(document.createElement("form"));
        for (const [name, label] of [["address", "To"], ["commands", "Commands"]]) {
            const input = Object.assign(document.createElement("input"), { name, required: true });
            const row = document.createElement("label");
            row.append(`${label} `, input);
            this.form.append(row, " ");
        }
        this.form.append(Object.assign(document.createElement("button"), { textContent: "Send" }));
        this.form.onsubmit = (submit) => {
            submit.preventDefault();
            this.onSend?.(this.form.elements.address.value, this.form.elements.commands.value);
        };
        this.outcome = this.root.appendChild(document.createElement("output"));
        this.messages = this.section("Messages", "ol");
    }

    say(text) {
        this.outcome.textContent = text;
    }

    message(text) {
        if (text) this.messages.prepend(Object.assign(document.createElement("li"), { textContent: text }));
        while (this.messages.children.length > entriesShown) this.messages.lastChild.remove();
    }

    section(title, kind) {
        const head = document.createElement("h2");
        head.textContent = title;
        const list = document.createElement(kind);
        list.setAttribute("aria-label", title);
        this.root.append(head, list);
        return list;
    }

    entity(address, here) {
        const known = [...this.entities.children].find((each) => each.textContent === address);
        if (!here) return known?.remove();
        if (known) return;
        const row = document.createElement("li");
        row.textContent = address;
        const next = [...this.entities.children].find((each) => each.textContent > address);
        this.entities.insertBefore(row, next ?? null);
    }

    // Newest first; a new version of an entry is the newest.
    entry(node, id, entry) {
        this.drop(node, id);
        if (!entry) return;
        const list = this.lists.get(node) ?? this.section(node, "ol");
        this.lists.set(node, list);
        const row = document.createElement("li");
        row.dataset.id = id;
        row.textContent = entry.querySelector("title")?.textContent ?? id;
        const updated = entry.querySelector("updated")?.textContent;
        if (updated) {
            const when = document.createElement("time");
            when.dateTime = updated;
            when.textContent = new Date(updated).toLocaleString();
            row.append(when);
        }
        list.prepend(row);
        while (list.children.length > entriesShown) list.lastChild.remove();
    }

    drop(node, id) {
        for (const row of this.lists.get(node)?.children ?? []) if (row.dataset.id === id) return row.remove();
    }
}

const reason = (fault) => fault?.querySelector?.("error text")?.textContent ?? String(fault?.message ?? fault);
