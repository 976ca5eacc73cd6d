// A client of 2018 with the raw stream tags of the drafts before RFC 7395: stanza.io 9.2.0, transport
// old-websocket [xmpp 34].
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { Lab, domain, endpoint, password } from "./lab.mjs";

const library = createRequire(import.meta.url)("stanza.io");
const lab = new Lab();
before(() => lab.start());
after(() => lab.stop());

test("stanza.io 9.2.0 logs in, binds and talks", async () => {
    const client = library.createClient({
        jid: `ann@${domain}`, password: password("ann"), resource: "old", transport: "old-websocket",
        transports: ["old-websocket"], wsURL: endpoint, credentials: { username: "ann", password: password("ann") }, useStreamManagement: false,
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
    assert.ok(items.discoItems.items.some((each) => each.jid.full === `bus.${domain}`));
    await new Promise((resolve) => {
        client.once("disconnected", resolve);
        client.disconnect();
    });
});
