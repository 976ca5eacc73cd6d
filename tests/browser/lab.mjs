// The private mbusd of these tests, with the JavaScript client.
//
// MBUS_CLIENT_BUILD names the directory of the client; for the rest see private_daemon.mjs (tests/javascript).
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { PrivateDaemon, until } from "./private_daemon.mjs";

export { patience, port, sleep, slow, until } from "./private_daemon.mjs";
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

export class Lab extends PrivateDaemon {
    start() {
        return this.startDaemon();
    }

    tool(name, ...words) {
        return this.complete(name, words);
    }

    // With something to read.
    toolWith(input, name, ...words) {
        return this.complete(name, words, input);
    }

    async kill(signal = "SIGKILL") {
        this.daemon.child.kill(signal);
        await this.daemon.ended;
    }

    token(name, ...options) {
        return this.tool("mbus", "client", "add", name, ...options);
    }

    // A listener that is on the bus already.
    async listen(address) {
        const program = this.begin("mbus-listen", [address]);
        const there = async () => (await this.begin("mbus", ["match", address]).ended) === 0;
        await until(there, () => `mbus-listen ${address}: ${program.err}`);
        return program;
    }

    close() {
        return this.end("SIGKILL");
    }
}

export const chromiumPath = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find(existsSync);
