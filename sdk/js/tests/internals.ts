// What the tests look at behind the public interface, in one module.
export * from "../src/address.js";
export * from "../src/base64.js";
export * from "../src/binary_frame.js";
export * from "../src/command_reader.js";
export * from "../src/command_writer.js";
export * from "../src/entity.js";
export * from "../src/errors.js";
export * from "../src/frame.js";
export * from "../src/handle.js";
export * from "../src/message.js";
export * from "../src/session.js";
export * from "../src/text.js";
export * from "../src/value.js";
