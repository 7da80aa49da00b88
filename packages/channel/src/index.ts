export { AGENT_CHANNEL, AgentSession, type AgentSessionOptions } from "./agent-session.ts";
export { connectChannel, type FindChannel, findChannelSocket } from "./connect-channel.ts";
export { LineReader } from "./line-reader.ts";
export { CHANNELS_FOLDER, openGuestChannel } from "./open-guest-channel.ts";
