// Prosody beside mbusd: a private one, with the accounts of the tests. What its pubsub and its streams do not do is
// said here, step by step; everything else of these tests passes against both.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export const prosody = "/usr/bin/prosody";

// Steps that can't hold, and why.
export const differences = {
    "finds the bus and sends it a command, reliably": "Prosody has no bus: bus.DOMAIN is a service of mbusd",
    "stanza.io 9.2.0 logs in, binds and talks: raw stream tags": "Prosody answers raw stream tags with <open/>, for which such a client waits for ever",
};

const escaped = (text) => text.replace(/[^A-Za-z0-9]/g, (each) => `%${each.charCodeAt(0).toString(16).padStart(2, "0")}`);

// Writes what `prosody --config` needs into the folder; the name of the file.
export function configure(folder, { port, domain, pubsub, users, password }) {
    // The form that Prosody's internal storage keeps accounts in.
    const accounts = join(folder, "data", escaped(domain), "accounts");
    mkdirSync(accounts, { recursive: true });
    for (const user of users) {
        writeFileSync(join(accounts, `${user}.dat`), `return { ["password"] = "${password(user)}" };\n`, { mode: 0o600 });
    }
    const file = join(folder, "prosody.cfg.lua");
    writeFileSync(
        file,
        `data_path = "${folder}/data"
pidfile = "${folder}/prosody.pid"
run_as_root = true -- in a container the tests are root
daemonize = false
log = { info = "*console" }
modules_enabled = { "roster", "saslauth", "disco", "ping", "smacks", "websocket" }
modules_disabled = { "s2s" }
interfaces = { "127.0.0.1" }
http_interfaces = { "127.0.0.1" }
http_ports = { ${port} }
https_ports = {}
c2s_ports = {}
c2s_direct_tls_ports = {}
c2s_require_encryption = false
consider_websocket_secure = true -- it is loopback
authentication = "internal_hashed"
smacks_hibernation_time = 300
VirtualHost "${domain}"
Component "${pubsub}" "pubsub"
    admins = { ${users.map((user) => `"${user}@${domain}"`).join(", ")} } -- they alone may create nodes
`,
    );
    return file;
}
