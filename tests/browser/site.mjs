// Pages for Chromium: files of folders under paths of our own, at an origin of its own.
//
//     const site = await Site.start({ "/": "examples/converse", "/node_modules/": "node_modules" });
//     site.origin                                    // "http://localhost:40123"
//     site.page("/talk.html", "<!doctype html>...");
import { existsSync, readFileSync, statSync } from "node:fs";
import http from "node:http";
import { extname, join, normalize } from "node:path";

const types = { ".css": "text/css", ".html": "text/html", ".js": "text/javascript", ".json": "application/json", ".wasm": "application/wasm" };

export class Site {
    pages = new Map([["/favicon.ico", ""]]);

    static async start(folders) {
        const site = new Site();
        site.folders = Object.entries(folders).sort(([a], [b]) => b.length - a.length); // the closest one first
        site.server = http.createServer((question, answer) => site.answer(new URL(question.url, "http://site").pathname, answer));
        await new Promise((resolve) => site.server.listen(0, "127.0.0.1", resolve));
        site.origin = `http://localhost:${site.server.address().port}`;
        return site;
    }

    page(path, text) {
        this.pages.set(path, text);
        return this.origin + path;
    }

    answer(path, answer) {
        const text = this.pages.get(path) ?? this.file(path);
        if (text === undefined) return answer.writeHead(404).end();
        answer.writeHead(200, { "Content-Type": types[extname(path)] ?? "application/octet-stream" }).end(text);
    }

    file(path) {
        const [prefix, folder] = this.folders.find(([each]) => path.startsWith(each)) ?? [];
        const name = folder && join(folder, normalize(`/${path.slice(prefix.length)}`));
        return name && existsSync(name) && statSync(name).isFile() ? readFileSync(name) : undefined;
    }

    close() {
        this.server.closeAllConnections();
        this.server.close();
    }
}
