// A private mbusd with its gateway, and the tools beside it. To be run in a network namespace of its own
// (CMakeLists.txt), so ports and groups are nobody else's.
//
// MBUS_BIN names the directory of mbusd and the tools, MBUS_CLIENT_BUILD that of the JavaScript client.
import { spawn } from "node:child_process";
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

const bin = process.env.MBUS_BIN;
export const slow = Number(process.env.MBUS_TEST_SLOW ?? 1);
export const patience = 20_000 * slow;
export const port = 8407;
export const client = await import(`file://${process.env.MBUS_CLIENT_BUILD}/mbus-client.js`);

// npm's `ws`, from this directory or from Debian's node-ws.
const require = createRequire(import.meta.url);
export const WebSocket = (() => {
    try {
        return require("ws");
    } catch {
        return require("/usr/share/nodejs/ws");
    }
})();

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
export async function until(done, what, ms = patience) {
    for (const end = Date.now() + ms; ; await sleep(20)) {
        const found = await done();
        if (found) return found;
        if (Date.now() > end) throw new Error(`${what()} did not happen within ${ms} ms`);
    }
}

const key = `[MBUS]
CONFIG_VERSION=1
HASHKEY=(HMAC-SHA1-96,MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=)
ENCRYPTIONKEY=(NOENCR,)
SCOPE=HOSTLOCAL
`;

export class Lab {
    folder = mkdtempSync(join(tmpdir(), "mbusd-browser-"));
    running = new Set();
    environment = { ...process.env, MBUS_SOCKET: join(this.folder, "mbusd.sock") };

    // `gateway`: more lines of that section.
    constructor(gateway = "") {
        writeFileSync(join(this.folder, "mbus.conf"), key, { mode: 0o600 });
        writeFileSync(
            join(this.folder, "mbusd.toml"),
            `[socket]\npath = "${this.environment.MBUS_SOCKET}"\n[state]\ndirectory = "${this.folder}"\n` +
                `[gateway]\nenabled = true\nlisten = ["127.0.0.1:${port}"]\n${gateway}`,
        );
    }

    // More lines, before start(): the rest of [gateway], and other sections.
    configure(text) {
        appendFileSync(join(this.folder, "mbusd.toml"), text);
    }

    // A program in the background; its output is gathered in `out` and `err`.
    run(name, ...words) {
        return this.spawn(name, words);
    }

    spawn(name, words, input = "") {
        const child = spawn(join(bin, name), words, { env: this.environment, stdio: ["pipe", "pipe", "pipe"] });
        child.stdin.on("error", () => {}); // who wants no input may have gone
        child.stdin.end(input);
        const program = { child, out: "", err: "" };
        program.ended = new Promise((resolve) => child.on("close", (code) => (this.running.delete(child), resolve(code))));
        child.stdout.on("data", (text) => (program.out += text));
        child.stderr.on("data", (text) => (program.err += text));
        this.running.add(child);
        return program;
    }

    // Its output; fails unless it ends with 0.
    tool(name, ...words) {
        return this.toolWith("", name, ...words);
    }

    // With something to read.
    async toolWith(input, name, ...words) {
        const program = this.spawn(name, words, input);
        const code = await program.ended;
        if (code !== 0) throw new Error(`${name} ${words.join(" ")} ended with ${code}: ${program.err}`);
        return program.out.trim();
    }

    async start() {
        this.daemon = this.run("mbusd", "--config", join(this.folder, "mbusd.toml"), "--key-file", join(this.folder, "mbus.conf"));
        const ready = () => this.daemon.child.exitCode !== null || this.daemon.err.includes("gateway ready");
        await until(ready, () => `the start of mbusd: ${this.daemon.err}`);
        if (this.daemon.child.exitCode !== null) throw new Error(`mbusd ended: ${this.daemon.err}`);
    }

    async kill(signal = "SIGKILL") {
        this.daemon.child.kill(signal);
        await this.daemon.ended;
    }

    token(name, ...options) {
        return this.tool("mbus", "client", "add", name, ...options);
    }

    // An account for XMPP.
    account(name, password) {
        return this.toolWith(`${password}\n`, "mbus", "client", "add", "--xmpp", name, "--password-file", "-");
    }

    // A listener that is on the bus already.
    async listen(address) {
        const program = this.run("mbus-listen", address);
        const there = async () => (await this.run("mbus", "match", address).ended) === 0;
        await until(there, () => `mbus-listen ${address}: ${program.err}`);
        return program;
    }

    async close() {
        for (const child of this.running) child.kill("SIGKILL");
        await until(() => this.running.size === 0, () => "the end of all programs");
        rmSync(this.folder, { recursive: true, force: true });
    }
}

export const chromiumPath = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find(existsSync);
export { readFileSync };
