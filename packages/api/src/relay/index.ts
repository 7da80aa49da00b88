export { CHANNEL_NAME, CONSOLE_LABEL } from "./fields.ts";
export { LISTENER_INBOX, RELAY_LIMITS, RELAY_PATHS, screenSocketPath } from "./limits.ts";
export { LineSplitter } from "./line-splitter.ts";
export { type RequestLine, requestLine, type ServerLine, serverLine } from "./messages.ts";
export type * from "./methods.ts";
export { type ConnectRelay, RelayClient } from "./relay-client.ts";
export { RelayError } from "./relay-error.ts";
export { RELAY_METHODS, RELAY_NOTIFICATIONS } from "./schemas.ts";
