// Four libraries of different makers listen to one publisher.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { Stanza, StropheJs, XmppJs } from "./libraries.mjs";
import { Lab, domain, endpoint, entry, namespace, password, patience, pubsub, skipped } from "./lab.mjs";
import { heard } from "./story.mjs";

const older = createRequire(import.meta.url)("stanza.io");
const lab = new Lab();
before(() => lab.start());
after(async () => {
    await lab.stop();
    setTimeout(() => process.exit(), 1000);
});

// stanza.io 9.2.0, which speaks the framing of the drafts too.
class StanzaIo {
    name = "bob-stanzaio";
    incoming = [];
    async connect(service) {
        this.client = older.createClient({
            jid: `bob@${domain}`, password: password("bob"), resource: "older", transport: "websocket", transports: ["websocket"],
            wsURL: service, credentials: { username: "bob", password: password("bob") }, useStreamManagement: false,
        });
        this.client.on("raw:incoming", (text) => this.incoming.push(text));
        await new Promise((resolve, reject) => {
            this.client.on("auth:failed", () => reject(new Error("auth:failed")));
            this.client.once("session:started", resolve);
            this.client.connect();
        });
        this.client.sendPresence();
    }
    subscribe(node) {
        return this.client.subscribeToNode(pubsub, { node, jid: this.client.jid.full });
    }
    close() {
        return new Promise((resolve) => {
            this.client.once("disconnected", resolve);
            this.client.disconnect();
        });
    }
}

const open = (inside) => `<pubsub xmlns='${namespace.pubsub}'>${inside}</pubsub>`;
const subscribing = (client) => (node) => client.iq("set", pubsub, open(`<subscribe node='${node}' jid='${client.jid}'/>`));
const name = "four libraries are told what one publishes, modifies and retracts [xmpp 82]";

test(name, { skip: skipped(name), timeout: 4 * patience }, async () => {
    const ann = new XmppJs("ann");
    await ann.connect(endpoint);
    const listeners = [new XmppJs("bob"), new StropheJs("bob"), new Stanza("bob")];
    for (const each of listeners) {
        await each.connect(endpoint);
        each.subscribe = subscribing(each);
    }
    listeners.push(new StanzaIo());
    await listeners[3].connect(endpoint);
    const node = "together";
    await ann.iq("set", pubsub, open(`<create node='${node}'/>`));
    for (const each of listeners) await each.subscribe(node);
    const publish = (title) => ann.iq("set", pubsub, open(`<publish node='${node}'><item id='i1'>${entry(title)}</item></publish>`));
    for (const title of ["dawn", "noon"]) {
        await publish(title);
        for (const each of listeners) assert.ok((await heard(each, namespace.event, "i1", title)).includes(title));
    }
    await ann.iq("set", pubsub, open(`<retract node='${node}' notify='1'><item id='i1'/></retract>`));
    for (const each of listeners) await heard(each, namespace.event, "<retract", "i1");
    for (const each of [ann, ...listeners]) await each.close();
});
