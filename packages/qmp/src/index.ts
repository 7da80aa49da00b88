export { QmpConnectionError, QmpError } from "./errors.ts";
export { LIMITS } from "./limits.ts";
export { type ExecuteOptions, type OpenQmpClient, QmpClient, type QmpStats } from "./qmp-client.ts";
export { LineBuffer } from "./wire/line-buffer.ts";
export { LineSplitter } from "./wire/line-splitter.ts";
export { formatCommand, parseMessage, type QmpEvent, type QmpMessage, type QmpVersion } from "./wire/message.ts";
export { parseJson } from "./wire/parse-json.ts";
