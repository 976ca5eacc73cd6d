// A subscriber in Node with the JavaScript client: counts messages and prints how many they are. Started by bench_all;
// what it needs stands in the environment.
import { createRequire } from "node:module";

const { BENCH_CLIENT, BENCH_URL, BENCH_TOKEN, BENCH_ENTITY } = process.env;

// Node before version 22 has no WebSocket of its own; Debian's is the package node-ws.
const WebSocket = globalThis.WebSocket ?? createRequire(import.meta.url)("/usr/share/nodejs/ws");
const { connect } = await import(BENCH_CLIENT);
const bus = await connect(BENCH_URL, { token: BENCH_TOKEN, name: "bench", WebSocket });
const me = await bus.attach(BENCH_ENTITY, { policy: "block" });

let count = 0;
let told = 0;
me.listen(() => {
    count += 1;
});
setInterval(() => {
    if (count === told) return;
    told = count;
    process.stdout.write(`${count}\n`);
}, 2);
