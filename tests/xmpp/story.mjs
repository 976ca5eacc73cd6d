// What a program does with the bus over XMPP, told once for every library: `Client` of libraries.mjs.
import assert from "node:assert/strict";
import { bus, domain, entry, namespace, pubsub, until } from "./lab.mjs";

const config = (fields) =>
    `<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>${namespace.pubsub}#node_config</value></field>` +
    Object.entries(fields).map(([name, value]) => `<field var='${name}'><value>${value}</value></field>`).join("") + "</x>";
const open = (inside) => `<pubsub xmlns='${namespace.pubsub}'>${inside}</pubsub>`;
const publish = (node, id, title) => open(`<publish node='${node}'><item id='${id}'>${entry(title)}</item></publish>`);

// Of the texts that came, the first one with all these parts; it is taken out.
export async function heard(client, ...parts) {
    const found = () => client.incoming.findIndex((text) => parts.every((part) => text.includes(part)));
    await until(() => found() >= 0, `a stanza with ${parts.join(" and ")} at ${client.name}`);
    return client.incoming.splice(found(), 1)[0];
}

export async function talk(ann, bob) {
    ann.send(`<message xmlns='jabber:client' to='${bob.jid}' type='chat' id='t1'><body>hello &amp; welcome</body></message>`);
    const text = await heard(bob, "hello &amp; welcome");
    assert.ok(text.includes(ann.jid), text);
}

export async function findServices(ann) {
    const services = await ann.iq("get", domain, `<query xmlns='${namespace.items}'/>`);
    assert.ok(services.includes(pubsub), services);
    const about = await ann.iq("get", pubsub, `<query xmlns='${namespace.info}'/>`);
    assert.match(about, /category=["']pubsub["']/);
    assert.ok(about.includes(`${namespace.pubsub}#publish`), about);
}

export async function useBus(ann, lab) {
    const services = await ann.iq("get", domain, `<query xmlns='${namespace.items}'/>`);
    assert.ok(services.includes(bus), services);
    const jid = await until(async () => {
        const found = await ann.iq("get", `${bus}/(app:ear)`, `<query xmlns='${namespace.items}'/>`);
        return /jid=["']([^"']*)["']/.exec(found)?.[1];
    }, "the listener among the entities");
    ann.send(
        `<message xmlns='jabber:client' to='${jid}' id='r-${ann.name}'><command xmlns='${namespace.bus}' name='play.${ann.tag}'>` +
            `<string>a b</string><integer>3</integer></command><request xmlns='${namespace.receipts}'/></message>`,
    );
    await heard(ann, "received", `r-${ann.name}`, "delivered");
    await until(() => lab.listener.out.includes(`play.${ann.tag}`), "the command at the listener");
    await lab.tool("mbus-send", ["(app:xmpp user:ann)", `state.${ann.tag}`, "on", "2.5"]);
    await heard(ann, `state.${ann.tag}`, "symbol");
}

export async function useFeed(ann, bob) {
    const node = `news-${ann.tag}`;
    await ann.iq("set", pubsub, open(`<create node='${node}'/><configure>${config({ "pubsub#notify_retract": 1, "pubsub#persist_items": 1 })}</configure>`));
    await bob.iq("set", pubsub, open(`<subscribe node='${node}' jid='${bob.jid}'/>`));
    await ann.iq("set", pubsub, publish(node, "i1", "first"));
    await heard(bob, namespace.event, "i1", "first");
    await ann.iq("set", pubsub, publish(node, "i1", "second"));
    await heard(bob, namespace.event, "i1", "second");
    await ann.iq("set", pubsub, open(`<retract node='${node}' notify='true'><item id='i1'/></retract>`));
    await heard(bob, namespace.event, "<retract", "i1");
    return node;
}

// Bob's line breaks; what was said meanwhile is there when he is back, in the same session.
export async function surviveCut(ann, bob, cable, node) {
    await bob.managed();
    const before = bob.jid;
    const back = bob.resumed();
    cable.cut();
    await ann.iq("set", pubsub, publish(node, "i2", "meanwhile"));
    await back;
    assert.equal(bob.jid, before);
    await heard(bob, namespace.event, "meanwhile");
}
