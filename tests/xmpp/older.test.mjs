// A client of 2018, stanza.io 9.2.0: with the raw stream tags of the drafts before RFC 7395, transport
// old-websocket [xmpp 34], and with the framing of the RFC.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { Lab, domain, endpoint, password, patience, pubsub, skipped } from "./lab.mjs";

const library = createRequire(import.meta.url)("stanza.io");
const lab = new Lab();
before(() => lab.start());
after(async () => {
    await lab.stop();
    // A client that waits for ever keeps its socket.
    setTimeout(() => process.exit(), 1000);
});

async function loginAndTalk(transport) {
    const client = library.createClient({
        jid: `ann@${domain}`, password: password("ann"), resource: "old", transport, transports: [transport], wsURL: endpoint,
        credentials: { username: "ann", password: password("ann") }, useStreamManagement: false,
    });
    await new Promise((resolve, reject) => {
        client.on("auth:failed", () => reject(new Error("auth:failed")));
        client.on("disconnected", () => reject(new Error("disconnected")));
        client.once("session:started", resolve);
        client.connect();
    });
    client.sendPresence();
    const got = new Promise((resolve) => client.once("message", resolve));
    client.sendMessage({ to: client.jid.full, body: "to myself" });
    assert.equal((await got).body, "to myself");
    const items = await client.getDiscoItems(domain, "");
    assert.ok(items.discoItems.items.some((each) => each.jid.full === pubsub));
    await new Promise((resolve) => {
        client.once("disconnected", resolve);
        client.disconnect();
    });
}

for (const [framing, transport] of [["raw stream tags", "old-websocket"], ["RFC 7395", "websocket"]]) {
    const name = `stanza.io 9.2.0 logs in, binds and talks: ${framing}`;
    test(name, { skip: skipped(name), timeout: 3 * patience }, () => loginAndTalk(transport));
}
