// Client libraries behind one face: connect, ask (iq), send, what came (incoming), the end of a resumption.
import { webcrypto } from "node:crypto";
import { createRequire } from "node:module";
import * as xmppjs from "@xmpp/client";
import parse from "ltx/lib/parse.js";
import { Strophe, toStanza } from "strophe.js";
import { domain, password, patience, until } from "./lab.mjs";

// What Node has without being asked from version 20 on, and these libraries take for granted.
globalThis.crypto ??= webcrypto;

const require = createRequire(import.meta.url);
const stanzaLibrary = require("stanza");

// What every one has. `tag` is fit for a name of a command.
class Client {
    incoming = [];
    constructor(library, user) {
        this.library = library;
        this.user = user;
        this.tag = library.replace(/[^a-z]/g, "");
        this.name = `${user}-${this.tag}`;
    }
    get resource() {
        return `${this.tag}${this.user}`;
    }
    heard(text) {
        this.incoming.push(text);
    }
}

export class XmppJs extends Client {
    constructor(user) {
        super("xmpp.js", user);
    }
    async connect(service) {
        this.client = xmppjs.client({
            service, domain, username: this.user, password: password(this.user), resource: this.resource, timeout: patience,
        });
        this.client.on("error", () => {}); // a cut is one
        this.client.on("element", (element) => this.heard(element.toString()));
        this.jid = (await this.client.start()).toString();
        // It begins to count a moment after <enabled/>. A stanza that came in the same read would be counted before, and
        // acknowledged as one too many, which ends the stream.
        await this.managed();
        await this.client.send(xmppjs.xml("presence"));
    }
    async iq(type, to, payload) {
        return (await this.client.iqCaller.request(xmppjs.xml("iq", { type, to }, parse(payload)))).toString();
    }
    send(text) {
        this.client.send(parse(text));
    }
    managed() {
        return until(() => this.client.streamManagement.enabled && this.client.streamManagement.id, "stream management");
    }
    resumed() {
        return new Promise((resolve) => this.client.streamManagement.once("resumed", resolve));
    }
    close() {
        return this.client.stop();
    }
}

export class StropheJs extends Client {
    constructor(user) {
        super("strophe.js", user);
    }
    connect(service) {
        this.connection = new Strophe.Connection(service, { enableStreamManagement: true });
        this.connection.rawInput = (text) => this.heard(text);
        return new Promise((resolve, reject) => {
            this.onStatus = (status) => {
                if (status === Strophe.Status.ATTACHED || (status === Strophe.Status.CONNECTED && this.connection.sm?.resumed)) {
                    this.jid = this.connection.jid;
                    this.whenResumed?.();
                } else if (status === Strophe.Status.CONNECTED) {
                    this.jid = this.connection.jid;
                    this.send("<presence xmlns='jabber:client'/>");
                    resolve();
                } else if (status === Strophe.Status.AUTHFAIL || status === Strophe.Status.CONNFAIL) {
                    reject(new Error(`strophe.js: status ${status}`));
                } else if (status === Strophe.Status.DISCONNECTED) {
                    this.whenLost?.();
                }
            };
            const whole = `${this.user}@${domain}/${this.resource}`;
            this.login = () => this.connection.connect(whole, password(this.user), (status) => this.onStatus(status));
            this.login();
        });
    }
    iq(type, to, payload) {
        const stanza = toStanza(`<iq xmlns='jabber:client' type='${type}' to='${to}'>${payload}</iq>`, true);
        return new Promise((resolve, reject) => {
            const failed = (answer) => reject(new Error(answer ? Strophe.serialize(answer) : "no answer"));
            this.connection.sendIQ(stanza, (answer) => resolve(Strophe.serialize(answer)), failed, 15000);
        });
    }
    send(text) {
        this.connection.send(toStanza(text, true));
    }
    managed() {
        return until(() => this.connection.sm.hasResumableState(), "stream management");
    }
    // The library leaves it to the program to connect again.
    resumed() {
        this.whenLost = () => this.login();
        return new Promise((resolve) => (this.whenResumed = resolve));
    }
    close() {
        this.whenLost = undefined;
        this.connection.disconnect("done");
        return until(() => !this.connection.connected, "the end of strophe.js");
    }
}

export class Stanza extends Client {
    constructor(user) {
        super("stanza", user);
    }
    connect(service) {
        this.client = stanzaLibrary.createClient({
            jid: `${this.user}@${domain}`, password: password(this.user), resource: this.resource,
            transports: { websocket: service, bosh: false }, autoReconnect: true,
        });
        this.client.on("raw:incoming", (text) => this.heard(text));
        this.client.on("stream:management:resumed", () => this.whenResumed?.());
        return new Promise((resolve, reject) => {
            this.client.on("auth:failed", () => reject(new Error("stanza: auth:failed")));
            this.client.once("session:started", () => {
                this.jid = this.client.jid;
                this.client.sendPresence();
                resolve();
            });
            this.client.connect();
        });
    }
    async iq(type, to, payload) {
        const id = `q${Math.random().toString(36).slice(2)}`;
        this.send(`<iq xmlns='jabber:client' type='${type}' to='${to}' id='${id}'>${payload}</iq>`);
        const answer = () => this.incoming.findIndex((text) => text.startsWith("<iq") && text.includes(id));
        await until(() => answer() >= 0, `the answer to ${payload}`);
        const text = this.incoming.splice(answer(), 1)[0];
        if (/type=["']error["']/.test(text)) throw new Error(text);
        return text;
    }
    send(text) {
        this.client.transport.socket.send(text);
    }
    managed() {
        return until(() => this.client.sm.started && this.client.sm.id, "stream management");
    }
    resumed() {
        return new Promise((resolve) => (this.whenResumed = resolve));
    }
    close() {
        this.client.config.autoReconnect = false;
        return new Promise((resolve) => {
            this.client.once("disconnected", resolve);
            this.client.disconnect();
        });
    }
}
