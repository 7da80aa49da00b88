export { ConsoleSession, type ConsoleSessionEvents, type OpenConsoleSession } from "./console-session.ts";
export { encodeCount, encodeData, encodeEnded, FRAME, type Frame, FrameParser } from "./frames.ts";
export type { SessionAnswer, SessionRefusal, SessionRequest } from "./session-lines.ts";
