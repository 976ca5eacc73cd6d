// What the tests share: the modules under test, repeatable randomness, vector files, a daemon in memory.
//
// MBUS_CLIENT_BUILD names the directory with what esbuild made (sdk/js/CMakeLists.txt).
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";

const build = pathToFileURL(process.env.MBUS_CLIENT_BUILD + "/");
export const built = (name) => import(new URL(name, build));
export const builtText = (name) => readFileSync(new URL(name, build));

// SplitMix64: the same numbers everywhere.
export class Dice {
    constructor(seed) {
        this.state = BigInt(seed);
    }
    next() {
        const mask = (1n << 64n) - 1n;
        this.state = (this.state + 0x9e3779b97f4a7c15n) & mask;
        let mixed = this.state;
        mixed = ((mixed ^ (mixed >> 30n)) * 0xbf58476d1ce4e5b9n) & mask;
        mixed = ((mixed ^ (mixed >> 27n)) * 0x94d049bb133111ebn) & mask;
        return mixed ^ (mixed >> 31n);
    }
    below(end) {
        return Number(this.next() % BigInt(end));
    }
    oneIn(sides) {
        return this.below(sides) === 0;
    }
    pick(all) {
        return all[this.below(all.length)];
    }
}

const folder = fileURLToPath(new URL("../../../tests/vectors/mbws/", import.meta.url));

export const readVectors = (name) => JSON.parse(readFileSync(folder + name, "utf8"));

// With MBUS_WRITE_VECTORS=1: writes the file. True when it holds these entries.
export function holdsVectors(name, entries) {
    const text = `[\n${entries.map((each) => JSON.stringify(each)).join(",\n")}\n]\n`;
    if (process.env.MBUS_WRITE_VECTORS) writeFileSync(folder + name, text);
    return readFileSync(folder + name, "utf8") === text;
}

export const hex = (octets) => Buffer.from(octets).toString("hex");
export const unhex = (digits) => new Uint8Array(Buffer.from(digits, "hex"));

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
export async function until(done, what = "what is awaited", ms = 5000) {
    for (const end = Date.now() + ms; !done(); await sleep(2)) if (Date.now() > end) throw new Error(`${what} did not happen`);
}
