// Values, commands and payloads as JavaScript programs give and get them.
import assert from "node:assert/strict";
import test from "node:test";
import { built } from "./support.mjs";

const mbus = await built("internals.js");
const { command, float, formatValue, parseValue, symbol } = mbus;

test("integers are numbers, beyond 2^53 bigints; floats without a fraction keep their kind", () => {
    assert.deepEqual(parseValue("(1 -0 9007199254740991 9007199254740992)"), [1, 0, 9007199254740991, 9007199254740992n]);
    assert.equal(parseValue("2.5"), 2.5);
    const two = parseValue("2.0");
    assert.ok(two instanceof mbus.Float);
    assert.equal(two + 1, 3);
    assert.equal(formatValue([1, 2.5, two, float(-0), 10n ** 20n, true]), "(1 2.5 2.0 -0.0 100000000000000000000 1)");
});

test("floats are written without exponent and read back as the same double", () => {
    for (const number of [1e-7, 5e-324, 1.7976931348623157e308, 1e21, 2 ** 60, 123456.789, -1.5e-10, 0.1]) {
        const text = formatValue(float(number));
        assert.match(text, /^-?\d+\.\d+$/);
        assert.equal(Number(parseValue(text)), number);
    }
});

test("what no double holds keeps its digits", () => {
    const wide = `1${"0".repeat(400)}.5`;
    assert.equal(formatValue(parseValue(wide)), wide);
});

test("what Mbus can't say is refused with the place to look", () => {
    const refused = [NaN, Infinity, 2 ** 53, "\0", "\x7f", "\ud800", symbol("1x"), undefined, null, {}, () => 0, float(NaN)];
    for (const value of refused) assert.throws(() => formatValue(value), { code: "bad-value" });
    assert.throws(() => mbus.formatCommands([command("no name")]), { code: "bad-value" });
    const deep = (depth) => (depth ? [deep(depth - 1)] : []);
    assert.equal(formatValue(deep(63)).length, 128);
    assert.throws(() => formatValue(deep(64)), { code: "bad-value" });
});

test("errors of reading name the place", () => {
    assert.throws(() => mbus.parseCommands("a(1 ?)"), { code: "bad-command", message: /expected a number.* at 4$/ });
    assert.throws(() => parseValue("1 2"), { code: "bad-command", message: "expected the end at 1" });
});

test("long strings, data and lists are read in time that grows with their length", () => {
    const text = "x".repeat(1 << 20);
    assert.equal(parseValue(formatValue(text)), text);
    const octets = new Uint8Array(1 << 20).fill(7);
    assert.deepEqual(parseValue(formatValue(octets)), octets);
    const list = Array.from({ length: 1 << 17 }, (_, n) => n);
    assert.deepEqual(parseValue(formatValue(list)), list);
});

test("a payload is text that is checked, commands, or octets of a type", () => {
    const read = (what) => {
        const [type, body] = mbus.encodePayload(what);
        return [type, mbus.fromUtf8(body)];
    };
    assert.deepEqual(read("a.b(1)"), [undefined, "a.b(1)"]);
    assert.deepEqual(read(command("a.b", "x")), [undefined, 'a.b("x")\r\n']);
    assert.deepEqual(read([command("a"), command("b")]), [undefined, "a()\r\nb()\r\n"]);
    assert.deepEqual(read({ type: "text/plain", body: "hello" }), ["text/plain", "hello"]);
    assert.throws(() => mbus.encodePayload("a.b"), { code: "bad-command" });
});

test("globs on command names", () => {
    const cases = [["door.*", "door.open", true], ["door.*", "doors", false], ["a,b?", "bc", true], ["a,b?", "b", false], ["*", "", true],
        ["a.b", "axb", false], ["*.a*", "x.y.ab", true], ["a+", "aa", false]];
    for (const [globs, name, expected] of cases) assert.equal(mbus.globMatches(globs, name), expected, `${globs} ${name}`);
});

test("an address is read relaxed, compared and taken apart", () => {
    const address = new mbus.Address("module:x app:y");
    assert.equal(String(address), "(app:y module:x)");
    assert.equal(address.get("app"), "y");
    assert.equal(address.get("toString"), undefined);
    assert.ok(address.answersTo("()"));
    assert.deepEqual(address.elements(), [["app", "y"], ["module", "x"]]);
});
