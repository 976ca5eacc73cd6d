// Both codecs agree: what JavaScript writes stands in js-*.json, and it reads what C++ wrote in cpp-*.json
// (tests/unit/mbws/vectors_test.cpp does the same the other way round).
import assert from "node:assert/strict";
import test from "node:test";
import { built, Dice, hex, holdsVectors, readVectors, unhex } from "./support.mjs";

const mbus = await built("internals.js");
const seed = 20261121; // of all that is made here

const flagBits = 8;

// --- values as the vector files have them -----------------------------------------------------------

function toJson(value) {
    if (Array.isArray(value)) return value.map(toJson);
    if (typeof value === "string") return value;
    if (value instanceof mbus.MbusSymbol) return { sym: value.name };
    const text = mbus.formatValue(value);
    if (value instanceof Uint8Array) return { data: text.slice(1, -1) };
    return text.includes(".") ? { float: text } : { int: text };
}

function fromJson(json) {
    if (Array.isArray(json)) return json.map(fromJson);
    if (typeof json === "string") return json;
    if ("sym" in json) return mbus.symbol(json.sym);
    return mbus.parseValue("data" in json ? `<${json.data}>` : json.int ?? json.float);
}

const frameJson = ([verb, number, fields, body, flags]) => ({
    verb,
    number: String(number),
    flags,
    fields: Object.fromEntries(
        Object.entries(fields).map(([name, value]) => [name, typeof value === "number" || typeof value === "bigint" ? String(value) : value]),
    ),
    body: hex(body),
});

// --- made here --------------------------------------------------------------------------------------

const alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
const symbolText = (dice) =>
    dice.pick(alphabet) + Array.from({ length: dice.below(8) }, () => dice.pick(`${alphabet}0123456789_-.`)).join("");

function text(dice, controls) {
    const one = () => {
        const kind = dice.below(5);
        if (kind === 0) return String.fromCodePoint(0x80 + dice.below(0xd700));
        if (kind === 1) return String.fromCodePoint(0x10000 + dice.below(0x100000));
        if (kind === 2) return dice.pick('"\\ ()n:\ufeff');
        if (kind === 3 && controls) return String.fromCharCode(1 + dice.below(0x1f));
        return String.fromCharCode(0x20 + dice.below(0x5f));
    };
    return Array.from({ length: dice.below(12) }, one).join("");
}

function number(dice) {
    const kind = dice.below(6);
    if (kind === 0) return BigInt.asIntN(64, dice.next());
    if (kind === 1) return dice.below(2000) - 1000;
    if (kind === 2) return mbus.float(dice.below(2000) - 1000);
    if (kind === 3) return (dice.below(200000) - 100000) / 8 + 0.0625;
    if (kind === 4) return 10n ** 25n + dice.next();
    const view = new DataView(new ArrayBuffer(8));
    view.setBigUint64(0, dice.next());
    const double = view.getFloat64(0);
    return Number.isFinite(double) ? mbus.float(double) : 0.5;
}

function value(dice, depth) {
    const kind = dice.below(depth ? 8 : 6);
    if (kind < 3) return number(dice);
    if (kind === 3) return text(dice, true);
    if (kind === 4) return mbus.symbol(symbolText(dice));
    if (kind === 5) return Uint8Array.from({ length: dice.below(9) }, () => dice.below(256));
    return Array.from({ length: dice.below(4) }, () => value(dice, depth - 1));
}

function madeFrames() {
    const dice = new Dice(seed);
    return Array.from({ length: 200 }, () => {
        const fields = {};
        for (const [name, kind] of mbus.keys.slice(1)) {
            if (!dice.oneIn(6)) continue;
            if (!kind) fields[name] = text(dice, false);
            else if (kind === "?") fields[name] = dice.oneIn(2);
            else fields[name] = mbus.asUnsigned(BigInt.asUintN(8 * Number(kind), dice.next() >> BigInt(dice.below(64))));
        }
        const body = mbus.toUtf8(dice.oneIn(3) ? "" : text(dice, true));
        const verb = dice.pick(mbus.verbs.slice(1));
        const flags = dice.below(flagBits);
        const number = dice.oneIn(3) ? 0 : mbus.asUnsigned(dice.next() >> BigInt(dice.below(64)));
        const frame = [verb, number, fields, dice.oneIn(5) ? Uint8Array.of(...body, 0xff, 0x80) : body, flags];
        return { ...frameJson(frame), binary: hex(mbus.binary.encode(frame)), text: mbus.encodeText(frame) ?? null };
    });
}

function madeCommands() {
    const dice = new Dice(seed + 1);
    return Array.from({ length: 200 }, () => {
        const commands = Array.from({ length: dice.below(3) }, () =>
            mbus.command(symbolText(dice), ...Array.from({ length: dice.below(5) }, () => value(dice, 3))),
        );
        const named = commands.map(({ name, args }) => ({ name, args: toJson(args) }));
        return { payload: mbus.formatCommands(commands), commands: named };
    });
}

function madeAddresses() {
    const dice = new Dice(seed + 2);
    const seen = [];
    return Array.from({ length: 100 }, () => {
        const elements = ["app", "module", "media", "id", "conf", "Z"]
            .filter(() => dice.oneIn(2))
            .map((tag) => `${tag}:${dice.below(3)}${dice.pick(["", "@", ":*", '<"\\'])}`);
        const written = `(${elements.reverse().join(dice.pick([" ", "\t", "  "]))}${dice.pick(["", " "])})`;
        const address = new mbus.Address(written);
        seen.push(address);
        const target = dice.pick(seen);
        return { text: written, canonical: address.text, target: target.text, answers: address.answersTo(target) };
    });
}

// --- the tests ----------------------------------------------------------------------------------------

test("the vectors made by this codec are current (MBUS_WRITE_VECTORS=1 writes them anew)", (t) => {
    t.diagnostic(`seed ${seed}`);
    assert.ok(holdsVectors("js-frames.json", madeFrames()));
    assert.ok(holdsVectors("js-commands.json", madeCommands()));
    assert.ok(holdsVectors("js-addresses.json", madeAddresses()));
});

for (const name of ["cpp-frames.json", "js-frames.json"]) {
    test(`frames of ${name} read and write the same (docs/mbws.md s2)`, () => {
        for (const entry of readVectors(name)) {
            const { binary, text: written, ...said } = entry;
            const frame = mbus.binary.decode(unhex(binary));
            assert.deepEqual(frameJson(frame), said);
            assert.equal(hex(mbus.binary.encode(frame)), binary);
            assert.equal(mbus.encodeText(frame) ?? null, written);
            if (written !== null) assert.deepEqual(frameJson(mbus.decodeText(written)), said);
        }
    });
}

test("bad frames are refused as by the C++ codec (docs/mbws.md s2.1)", () => {
    for (const { binary, text: written, bad } of readVectors("cpp-bad-frames.json")) {
        const read = () => (binary === undefined ? mbus.decodeText(written) : mbus.binary.decode(unhex(binary)));
        assert.throws(read, { code: "bad-frame" }, bad);
    }
});

for (const name of ["cpp-commands.json", "cpp-lenient-commands.json", "js-commands.json"]) {
    test(`commands of ${name} read and write the same (RFC 3259 s5.3)`, () => {
        for (const { payload, commands, canonical = payload, bad } of readVectors(name)) {
            if (bad) {
                assert.throws(() => mbus.parseCommands(payload), { code: "bad-command" }, payload);
                continue;
            }
            const read = mbus.parseCommands(payload);
            assert.deepEqual(read, commands.map((each) => ({ name: each.name, args: fromJson(each.args) })), payload);
            assert.deepEqual(read.map(({ args }) => toJson(args)), commands.map(({ args }) => args));
            assert.equal(mbus.formatCommands(read), canonical);
        }
    });
}

for (const name of ["cpp-addresses.json", "js-addresses.json"]) {
    test(`addresses of ${name} read and match the same (RFC 3259 s4)`, () => {
        for (const { text: written, canonical, target, answers, bad } of readVectors(name)) {
            if (bad) {
                assert.throws(() => new mbus.Address(written), { code: "bad-address" }, written);
                continue;
            }
            const address = new mbus.Address(written);
            assert.equal(address.text, canonical);
            if (target !== undefined) assert.equal(address.answersTo(target), answers, `${written} ${target}`);
        }
    });
}
