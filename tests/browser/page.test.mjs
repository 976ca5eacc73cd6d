// The live page in Chromium, against the real daemon: two peers are there, a message of mbus-send appears within
// 100 ms, the form sends one back. Screenshots go to MBUS_SCREENSHOTS.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import test, { after, before } from "node:test";
import { chromium } from "playwright-core";
import { chromiumPath, Lab, patience, port, until } from "./lab.mjs";

const appearLimit = 100; // ms
const pictures = process.env.MBUS_SCREENSHOTS ?? "/tmp";
const address = `http://localhost:${port}/`;
let lab, browser, token, player, mixer;

before(async () => {
    lab = new Lab();
    await lab.start();
    token = await lab.token("ui", "--monitor", "--administer");
    player = await lab.listen("(app:player media:audio)");
    mixer = await lab.listen("(app:mixer media:audio)");
    browser = await chromium.launch({ executablePath: chromiumPath, args: ["--no-sandbox", "--disable-gpu"] });
    mkdirSync(pictures, { recursive: true });
});
after(async () => {
    await browser?.close();
    await lab.close();
});

async function signedIn(options = {}) {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    page.setDefaultTimeout(patience);
    page.faults = [];
    page.on("pageerror", (failure) => page.faults.push(String(failure)));
    page.on("console", (line) => line.type() === "error" && page.faults.push(line.text()));
    page.requests = [];
    page.on("request", (request) => page.requests.push(request.url()));
    await page.goto(address);
    await page.getByRole("textbox", { name: "Token" }).fill(token);
    await page.getByRole("button", { name: "Connect" }).click();
    await page.locator("#peers tr", { hasText: "app:player" }).waitFor();
    await page.locator("#peers tr", { hasText: "app:mixer" }).waitFor();
    return page;
}

test("a wrong token is refused with the remedy", async () => {
    const page = await browser.newPage();
    await page.goto(address);
    await page.getByRole("textbox", { name: "Token" }).fill("wrong");
    await page.getByRole("button", { name: "Connect" }).click();
    await page.getByText("mbus client add NAME").waitFor();
    assert.equal(await page.evaluate(() => sessionStorage.length), 0);
    await page.close();
});

test("two peers are shown, a message appears within 100 ms, the form sends one back", async (t) => {
    const page = await signedIn({ viewport: { width: 1280, height: 860 } });
    await page.evaluate(() => {
        window.seen = new Map();
        new MutationObserver((changes) => {
            for (const { addedNodes } of changes) for (const row of addedNodes) window.seen.set(row.lastChild.textContent, Date.now());
        }).observe(document.getElementById("messages"), { childList: true });
    });
    // The first ones warm up; the time is that of the message itself, made just before it was sent.
    const took = [];
    for (let n = 1; n <= 8; ++n) {
        await lab.tool("mbus-send", "app:player", "demo.tick", String(n));
        await page.getByText(`demo.tick(${n})`).waitFor();
        const [seen, made] = await page.evaluate((said) => {
            const row = [...document.querySelectorAll("#messages li")].find((each) => each.lastChild.textContent === said);
            const shown = row.querySelector("time").textContent.split(/[:.]/).map(Number);
            const day = new Date();
            day.setHours(shown[0], shown[1], shown[2], shown[3]);
            return [window.seen.get(said), day.getTime()];
        }, `demo.tick(${n})`);
        took.push(seen - made);
    }
    t.diagnostic(`from sending to the page, in ms: ${took.join(" ")}`);
    const median = took.slice(2).sort((a, b) => a - b)[3];
    assert.ok(median <= appearLimit, `median ${median}`);

    await page.getByLabel("To", { exact: true }).fill("(app:player)");
    await page.getByText(/^Fits \(app:player/).waitFor();
    await page.getByLabel("Commands").fill('player.play("song.mp3" 3)');
    await page.getByRole("button", { name: "Send", exact: true }).click();
    await page.getByText("Sent to 1 entity").waitFor();
    await until(() => player.out.includes('player.play("song.mp3" 3)'), () => `mbus-listen prints it: ${player.out}`);

    await page.getByLabel("Reliable, to exactly one").check();
    await page.getByLabel("To", { exact: true }).fill("(media:audio)");
    await page.getByRole("button", { name: "Send", exact: true }).click();
    await page.getByText(/^not-unique:/).waitFor();
    await page.locator("#sessions tr", { hasText: "live page" }).waitFor();
    assert.deepEqual(page.faults, []);
    await page.context().close();
});

test("hostile texts of the bus stay text, and nothing is requested from elsewhere", async () => {
    const page = await signedIn();
    await lab.tool("mbus-send", "app:player", "demo.text", '"<img src=x onerror=alert(1)><script>alert(1)</script>"');
    await page.getByText("<img src=x onerror").waitFor();
    assert.equal(await page.locator("#messages img, #messages script").count(), 0);
    for (const url of page.requests) assert.ok(url.startsWith(address), url);
    for (const url of page.requests) assert.ok(!url.includes(token));
    const answer = await page.request.get(address);
    const policy = answer.headers()["content-security-policy"];
    assert.match(policy, /default-src 'none'/);
    assert.doesNotMatch(policy, /unsafe/);
    assert.deepEqual(page.faults, []);
    await page.context().close();
});

for (const [name, viewport] of Object.entries({ desk: { width: 1280, height: 860 }, phone: { width: 390, height: 844 } })) {
    for (const colorScheme of ["light", "dark"]) {
        test(`readable on a ${name}, ${colorScheme}`, async () => {
            const page = await signedIn({ viewport, colorScheme, deviceScaleFactor: 2 });
            for (let n = 1; n <= 6; ++n) await lab.tool("mbus-send", "media:audio", "mixer.level", String(n), "2.5", "on", '"left"');
            await page.getByText("mixer.level(6").waitFor();
            await page.getByLabel("To", { exact: true }).fill("(media:audio)");
            await page.getByLabel("Commands").fill("mixer.mute(1)");
            const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
            assert.ok(wide <= 0, `${wide} pixels too wide`);
            await page.locator("#sessions tr").first().waitFor();
            await page.screenshot({ path: join(pictures, `live-page-${name}-${colorScheme}.png`), fullPage: name === "phone" });
            await page.context().close();
        });
    }
}
