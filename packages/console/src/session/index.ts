export { ConsoleSession } from "./console-session.ts";
export { encodeCount, encodeData, encodeEnded, FRAME, type Frame, FrameParser } from "./frames.ts";
export type { ConsoleSessionEvents, OpenConsoleSession } from "./open-console-session.ts";
export type { SessionAnswer, SessionRefusal, SessionRequest } from "./session-lines.ts";
