// The live page: one connection, four panels. The token is kept in this tab's sessionStorage only.
import { Connection, Entity, MbusError, open } from "@mbus/client";
import { Daemon, number, text } from "./daemon";
import { byId, gathered } from "./dom";
import { MessagesPanel } from "./messages_panel";
import { PeersPanel } from "./peers_panel";
import { SendPanel } from "./send_panel";
import { SessionsPanel } from "./sessions_panel";

const tokenKey = "mbus-token";
const pageAddress = "(app:live-page module:ui)";
const refreshPeriod = 3000; // ms; of what the daemon has to be asked for

const sendPanel: SendPanel = new SendPanel(() => peersPanel.addresses());
const peersPanel: PeersPanel = new PeersPanel((address) => sendPanel.fill(address));
const messagesPanel = new MessagesPanel();
const sessionsPanel = new SessionsPanel();
const peersChanged = gathered(() => sendPanel.refresh());

function notice(what: string): void {
    byId("notice").textContent = what;
    byId("notice").hidden = !what;
}

function showState(state: string, words: string): void {
    byId("state").dataset.state = state;
    byId("state").textContent = words;
}

function askForToken(): void {
    byId("token-panel").hidden = false;
    byId("live").hidden = true;
    byId("sign-out").hidden = true;
    byId("token").focus();
}

// --- what is shown of one connection ------------------------------------------------------------------

async function listen(bus: Connection, me: Entity | undefined): Promise<void> {
    const heard = (message: Parameters<MessagesPanel["add"]>[0]) => {
        peersPanel.heard(message.from);
        messagesPanel.add(message);
    };
    try {
        const monitor = await bus.attach("()", { mode: "monitor" });
        byId("listening").textContent = "";
        monitor.listen(heard);
        me?.listen(() => undefined); // the monitor shows them
    } catch (failure) {
        const why = (failure as MbusError).message;
        byId("listening").textContent = `Only messages that reach this page are shown: ${why}`;
        me?.listen(heard);
    }
}

async function enter(bus: Connection): Promise<Entity | undefined> {
    try {
        return await bus.attach(pageAddress);
    } catch (failure) {
        notice(`This page may not be on the bus as ${pageAddress}, so it can't send: ${(failure as Error).message}`);
        return undefined;
    }
}

async function follow(bus: Connection, me: Entity): Promise<void> {
    const daemon = await Daemon.find(bus, me);
    if (!daemon) return notice("The daemon's own entity was not found, so ages and sessions are not shown.");
    byId("daemon").textContent = `${text(daemon.status, "version")} on ${text(daemon.status, "host-id")}, scope ${text(daemon.status, "scope")}`;
    const rights = await daemon.ask("mbusd.rights");
    const administers = number(rights, "administer") !== 0;
    if (!administers) sessionsPanel.forbidden("This token has no right to administer: mbus client add NAME --administer");
    while (bus.state !== "closed") {
        if (bus.state === "connected" && !document.hidden) {
            try {
                peersPanel.learn(await daemon.list("mbusd.peers", "peers"));
                if (administers) sessionsPanel.show(await daemon.list("mbusd.sessions", "sessions"));
            } catch {
                // The connection's state tells, and it is tried again.
            }
        }
        await new Promise((resolve) => setTimeout(resolve, refreshPeriod));
    }
}

function show(bus: Connection): void {
    bus.on("state", ({ state, resumed, reason }) => {
        if (state === "connected") {
            showState(state, "connected");
            if (resumed === false) notice("");
        } else if (state === "connecting") {
            showState(state, `connecting again: ${reason?.message ?? ""}`);
        } else {
            showState(state, "not connected");
        }
    });
    bus.on("missed", (messages) => notice(`${messages} messages came faster than this page reads; they are not shown.`));
    bus.on("error", (failure) => notice((failure as Error).message));
}

// --- life ---------------------------------------------------------------------------------------------

async function start(token: string): Promise<void> {
    byId("token-panel").hidden = true;
    byId("sign-out").hidden = false;
    notice("");
    showState("connecting", "connecting");
    const bus = open(new URL("mbws", document.baseURI), { token, name: "live page" });
    show(bus);
    const leave = () => {
        sessionStorage.removeItem(tokenKey);
        void bus.close(1000);
        location.reload();
    };
    byId("sign-out").addEventListener("click", leave);
    window.addEventListener("pagehide", () => void bus.close(0));
    try {
        await bus.ready(Infinity);
    } catch (failure) {
        if ((failure as MbusError).code === "unauthorized") sessionStorage.removeItem(tokenKey);
        notice((failure as Error).message);
        byId("sign-out").removeEventListener("click", leave);
        return askForToken();
    }
    byId("live").hidden = false;
    const me = await enter(bus);
    sendPanel.use(me);
    await listen(bus, me);
    await bus.watch("()", ({ address, state }) => {
        if (state === "left" || state === "lost") peersPanel.go(address);
        else peersPanel.come(address);
        peersChanged();
    });
    if (me) await follow(bus, me);
    else sessionsPanel.forbidden("Only a page that is on the bus can ask the daemon.");
}

byId("token-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const token = byId<HTMLInputElement>("token").value.trim();
    byId<HTMLInputElement>("token").value = "";
    sessionStorage.setItem(tokenKey, token);
    void start(token);
});

// Come back from the browser's cache of pages, where the connection was closed.
window.addEventListener("pageshow", ({ persisted }) => persisted && location.reload());

const kept = sessionStorage.getItem(tokenKey);
if (kept) void start(kept);
else askForToken();
