// Small helpers for the page. What comes from the bus is hostile: it becomes text, never markup.

export function byId<Kind extends HTMLElement = HTMLElement>(id: string): Kind {
    return document.getElementById(id) as Kind;
}

// An element with a class and children; strings become text.
export function make(tag: string, className = "", ...children: (Node | string)[]): HTMLElement {
    const element = document.createElement(tag);
    if (className) element.className = className;
    element.append(...children);
    return element;
}

// "(app:player id:7-1@10.0.0.1)" with quiet tags; any text is shown as it is.
export function showAddress(text: string): HTMLElement {
    const whole = make("span", "address", "(");
    const elements = text.slice(1, -1).split(" ");
    elements.forEach((element, index) => {
        const colon = element.indexOf(":") + 1;
        const id = element.startsWith("id:") ? "id" : "";
        whole.append(index ? " " : "", make("span", `tag ${id}`, element.slice(0, colon)), make("span", id, element.slice(colon)));
    });
    whole.append(")");
    return whole;
}

export function showDuration(ms: number): string {
    const seconds = Math.max(0, Math.round(ms / 1000));
    if (seconds < 120) return `${seconds} s`;
    if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
    return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} d`;
}

// Calls `action` once for many calls, with the next frame of the screen; also in a hidden tab, only later.
export function gathered(action: () => void): () => void {
    let waiting = false;
    const run = () => {
        if (!waiting) return;
        waiting = false;
        action();
    };
    return () => {
        if (waiting) return;
        waiting = true;
        requestAnimationFrame(run);
        setTimeout(run, 1000);
    };
}
