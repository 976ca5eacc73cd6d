// A private mbusd, the tools beside it, and other programs that end with the test. To be run in a network
// namespace of its own, so ports and groups are nobody else's. Tests of a folder derive their Lab from it.
//
// MBUS_BIN names the directory of mbusd and the tools, MBUS_TEST_SLOW is how much longer things may take.
import { spawn } from "node:child_process";
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const bin = process.env.MBUS_BIN ?? "";
export const slow = Number(process.env.MBUS_TEST_SLOW ?? 1);
export const patience = 20_000 * slow;
export const port = 8407;

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// What `done` returns once it is something; `what`, a text or a function that makes one, says what did not happen.
export async function until(done, what, ms = patience) {
    for (const end = Date.now() + ms; ; await sleep(20)) {
        const found = await done();
        if (found) return found;
        if (Date.now() > end) throw new Error(`${typeof what === "function" ? what() : what} did not happen within ${ms} ms`);
    }
}

const key = `[MBUS]
CONFIG_VERSION=1
HASHKEY=(HMAC-SHA1-96,MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=)
ENCRYPTIONKEY=(NOENCR,)
SCOPE=HOSTLOCAL
`;

export class PrivateDaemon {
    folder = mkdtempSync(join(tmpdir(), "mbusd-javascript-"));
    running = new Set();
    environment = { ...process.env, MBUS_SOCKET: join(this.folder, "mbusd.sock") };

    // `settings`: the rest of [gateway], and other sections.
    constructor(settings = "") {
        writeFileSync(join(this.folder, "mbus.conf"), key, { mode: 0o600 });
        writeFileSync(
            join(this.folder, "mbusd.toml"),
            `[socket]\npath = "${this.environment.MBUS_SOCKET}"\n[state]\ndirectory = "${this.folder}"\n` +
                `[gateway]\nenabled = true\nlisten = ["127.0.0.1:${port}"]\n${settings}`,
        );
    }

    // More of them, before startDaemon().
    configure(settings) {
        appendFileSync(join(this.folder, "mbusd.toml"), settings);
    }

    async startDaemon() {
        this.daemon = this.begin("mbusd", ["--config", join(this.folder, "mbusd.toml"), "--key-file", join(this.folder, "mbus.conf")]);
        const ready = () => this.daemon.child.exitCode !== null || this.daemon.err.includes("gateway ready");
        await until(ready, () => `the start of mbusd: ${this.daemon.err}`);
        if (this.daemon.child.exitCode !== null) throw new Error(`mbusd ended: ${this.daemon.err}`);
    }

    // A program in the background, `input` for it to read; its output is gathered in `out` and `err`.
    begin(name, words, input = "") {
        const child = spawn(resolve(bin, name), words, { env: this.environment, stdio: ["pipe", "pipe", "pipe"] });
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
    async complete(name, words, input) {
        const program = this.begin(name, words, input);
        const code = await program.ended;
        if (code !== 0) throw new Error(`${name} ${words.join(" ")} ended with ${code}: ${program.err}`);
        return program.out.trim();
    }

    // An account for XMPP.
    account(name, password) {
        return this.complete("mbus", ["client", "add", "--xmpp", name, "--password-file", "-"], `${password}\n`);
    }

    async end(signal) {
        for (const child of this.running) child.kill(signal);
        await until(() => this.running.size === 0, "the end of all programs");
        rmSync(this.folder, { recursive: true, force: true });
    }
}
