export { type ConnectScreen, connectScreen } from "./connect-screen.ts";
export { encodePng } from "./encode-png.ts";
export type { Frame } from "./frame.ts";
export { SCREEN_LIMITS } from "./limits.ts";
export { RfbClient } from "./rfb-client.ts";
