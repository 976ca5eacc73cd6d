// @mbus/client: take part in an Mbus from a browser or Node, over the WebSocket gateway of mbusd.
export { Address } from "./address.js";
export { parseCommands, parseValue } from "./command_reader.js";
export { formatCommands, formatValue } from "./command_writer.js";
export { connect, open } from "./connection.js";
export type {
    AttachOptions,
    Connection,
    ConnectionState,
    ConnectOptions,
    Events,
    Peer,
    StateEvent,
    UnacknowledgedMessage,
    Watch,
} from "./connection.js";
export type { Destination, Entity, Filter, Grant, Listener, Receipt } from "./entity.js";
export { MbusError } from "./errors.js";
export type { Codec } from "./frame.js";
export type { Message, Payload, SendOptions } from "./message.js";
export type { Reply } from "./rpc.js";
export type { WebSocketClass, WebSocketLike } from "./socket.js";
export { command, Float, float, MbusSymbol, symbol } from "./value.js";
export type { Command, Value } from "./value.js";
