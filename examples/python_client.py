#!/usr/bin/env python3
"""A client in another language, written from docs/mbws.md alone: the text form over WebSocket.

    python_client.py ws://localhost:8407/mbws ADDRESS [TO COMMAND]...

Attaches ADDRESS, sends each COMMAND reliably to TO, prints what became of it and then what comes,
until it is interrupted. The token (mbus client add NAME) is read from the file $MBUS_TOKEN_FILE.
Needs Debian's python3-websockets."""

import asyncio
import os
import sys

import websockets


def frame(verb, number=0, body="", **fields):  # s2.2
    first = f"{verb} {number}" if number else verb
    return "\n".join([first] + [f"{name}: {value}" for name, value in fields.items()]) + "\n\n" + body


def parse(message):
    if isinstance(message, bytes):  # s7.2: a body that is not UTF-8 comes in the binary form, s2.1
        return "message", int.from_bytes(message[8:16], "big"), {}, "(a binary body)"
    head, _, body = message.partition("\n\n")
    first, *lines = head.rstrip("\n").split("\n")
    verb, _, number = first.partition(" ")
    fields = {name: value.removeprefix(" ") for name, _, value in (line.partition(":") for line in lines)}
    return verb, int(number or 0), fields, body


async def run(url, address, *messages):
    secret = {}
    if path := os.environ.get("MBUS_TOKEN_FILE"):
        with open(path, encoding="ascii") as file:
            secret["Authorization"] = "Bearer " + file.readline().strip()
    async with websockets.connect(url, subprotocols=["mbws"], extra_headers=secret, compression=None) as socket:
        await socket.send(frame("connect", version=1, name="python"))
        await socket.send(frame("attach", request=1, entity=address))
        received = 0
        async for message in socket:
            verb, number, fields, body = parse(message)
            if number and verb in ("message", "receipt", "nak"):  # s4: one sequence, each is acknowledged
                if number <= received:
                    continue
                received = number
                await socket.send(frame("ack", number))
            if verb == "message" and "code" not in fields:
                print(fields.get("from", ""), body.strip(), flush=True)
            elif verb == "ok":
                print("attached as", fields["entity"], flush=True)
                for sent, (to, command) in enumerate(zip(messages[::2], messages[1::2]), start=1):
                    await socket.send(frame("message", sent, command, to=to, reliable="yes"))
            elif verb == "receipt" and "code" not in fields:
                print(f"message {fields['about']} acknowledged by {fields['entity']}", flush=True)
            elif verb in ("receipt", "nak", "error"):
                print(f"{verb}: {fields['code']}: {fields.get('text', '')}", file=sys.stderr, flush=True)
            elif verb == "ping":  # s7.3
                await socket.send(frame("pong", body=body))


if len(sys.argv) < 3:
    sys.exit(__doc__)
try:
    asyncio.run(run(*sys.argv[1:]))
except KeyboardInterrupt:
    pass
except (OSError, websockets.WebSocketException) as fault:
    sys.exit(f"python_client.py: {fault}")
