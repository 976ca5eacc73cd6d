// A TCP proxy that breaks connections as networks do: it resets them, closes one half, or falls silent while
// both ends believe in them.
//
//     const proxy = await Proxy.start(targetPort);
//     proxy.cut("reset" | "half-close" | "stall");     // every connection of the moment
import net from "node:net";

export const cuts = ["reset", "half-close", "stall"];

export class Proxy {
    pairs = new Set();

    static async start(target) {
        const proxy = new Proxy();
        proxy.server = net.createServer((near) => proxy.join(near, target));
        await new Promise((resolve) => proxy.server.listen(0, "127.0.0.1", resolve));
        proxy.port = proxy.server.address().port;
        return proxy;
    }

    join(near, target) {
        const far = net.connect({ port: target, host: "127.0.0.1", allowHalfOpen: true });
        near.allowHalfOpen = true;
        const pair = { near, far };
        this.pairs.add(pair);
        for (const [from, to] of [[near, far], [far, near]]) {
            from.setNoDelay(true);
            from.on("error", () => to.destroy());
            from.on("close", () => {
                this.pairs.delete(pair);
                if (!pair.stalled) to.destroy();
            });
            from.pipe(to);
        }
    }

    // How many connections were cut.
    cut(how) {
        const all = [...this.pairs].filter(({ stalled }) => !stalled);
        for (const pair of all) {
            const { near, far } = pair;
            if (how === "reset") {
                near.resetAndDestroy();
                far.resetAndDestroy();
            } else if (how === "half-close") {
                near.unpipe(far);
                near.resume();
                far.end(); // the daemon sees the end of the stream, the client nothing
                far.unpipe(near);
                far.resume();
            } else {
                pair.stalled = true;
                near.unpipe(far);
                far.unpipe(near);
                near.pause();
                far.pause();
            }
        }
        return all.length;
    }

    close() {
        for (const { near, far } of this.pairs) {
            near.destroy();
            far.destroy();
        }
        this.server.close();
    }
}
