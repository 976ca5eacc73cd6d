// The module as it is shipped.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { gzipSync } from "node:zlib";
import test from "node:test";
import { built, builtText } from "./support.mjs";

test("the module stays small: less than 15 kB minified, 8 kB as web servers compress it", (t) => {
    const octets = builtText("mbus-client.js");
    const compressed = gzipSync(octets).length;
    t.diagnostic(`${octets.length} octets, ${compressed} compressed`);
    assert.ok(octets.length < 15_000);
    assert.ok(compressed < 8_000);
});

test("the module needs nothing else and says what it has", async () => {
    const text = String(builtText("mbus-client.js"));
    assert.deepEqual(Object.keys(await built("mbus-client-handle.js")).sort(), ["globMatches", "handle"]);
    assert.doesNotMatch(text, /\bimport\b|\brequire\b|\beval\b|new Function/);
    const names = "Address Float MbusError MbusSymbol command connect float formatCommands formatValue open parseCommands parseValue symbol";
    assert.deepEqual(Object.keys(await built("mbus-client.js")).sort(), names.split(" "));
    assert.deepEqual(Object.keys(await built("mbus-client-text.js")).sort(), ["decodeText", "encodeText", "text"]);
});

test("without a WebSocket it says what to pass, and Node can exit", () => {
    const script = `
        globalThis.WebSocket = undefined;
        const { connect } = await import(process.argv[1]);
        await connect("ws://localhost:1").catch((failure) => console.log(failure.code, failure.message));`;
    const module = new URL(`file://${process.env.MBUS_CLIENT_BUILD}/mbus-client.js`).href;
    const out = execFileSync(process.execPath, ["--input-type=module", "-e", script, module], { timeout: 20_000 });
    assert.match(String(out), /^bad-argument pass \{ WebSocket \}/);
});
