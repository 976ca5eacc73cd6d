// Each library does what a program does with the bus: logs in by SCRAM, talks to another session, finds the
// bus, sends a command reliably and gets its receipt, publishes and is told, and survives a cut line.
import { after, before, describe, test } from "node:test";
import { Stanza, StropheJs, XmppJs } from "./libraries.mjs";
import { Cable, Lab, endpoint, patience, skipped } from "./lab.mjs";
import { findServices, surviveCut, talk, useBus, useFeed } from "./story.mjs";

const lab = new Lab();
// Some of these libraries try to connect for ever, and say nothing.
const timeout = 3 * patience;
before(() => lab.start());
after(async () => {
    await lab.stop();
    // Some of these libraries keep timers that no close() of theirs ends.
    setTimeout(() => process.exit(), 1000);
});

for (const Library of [XmppJs, StropheJs, Stanza]) {
    const ann = new Library("ann");
    const bob = new Library("bob");
    const cable = new Cable();
    let node;
    describe(ann.library, () => {
        before(async () => {
            await ann.connect(endpoint);
            await bob.connect(await cable.lay());
        }, { timeout });
        after(async () => {
            await ann.close();
            await bob.close();
            cable.close();
        }, { timeout });
        const step = (name, work) => test(name, { skip: skipped(name), timeout }, work);
        step("talks to another session", () => talk(ann, bob));
        step("finds the services of the domain", () => findServices(ann));
        step("finds the bus and sends it a command, reliably", () => useBus(ann, lab));
        step("publishes, modifies and retracts, and is told [xmpp 82]", async () => {
            node = await useFeed(ann, bob);
        });
        step("survives a cut line by resumption (XEP-0198)", () => surviveCut(ann, bob, cable, node));
    });
}
