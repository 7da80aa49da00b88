import type { Screen } from "@bulkhead/api";
import { screenSocketPath } from "@bulkhead/api/relay";
import { InvalidInputError } from "@bulkhead/base";
import { channelEndpoint } from "@bulkhead/xlcfg";
import type { Guest } from "../guests/guest.ts";

/** The lines of packages/channel/guest/channel-agent, one of which is a clipboard's. */
const AGENT_CHANNEL = "org.bulkhead.agent.v1";

/** Where the relay serves a guest's screen. `relayDirectory`: of its sockets. @throws InvalidInputError `no-such-screen` */
export function screenSocketOf(guest: Guest, relayDirectory: string): string {
	const { type, vga, nographic, vnc, sdl } = guest.record.config;
	const isBlind = type === "hvm" && (vga === "none" || (nographic && !vnc && !sdl));
	if (!isBlind) return screenSocketPath(relayDirectory, guest.uuid);
	throw new InvalidInputError(
		`Guest ${guest.name} has no screen: its config says ${vga === "none" ? 'vga="none"' : "nographic=1"}`,
		{ remedy: "Use `bulkhead console`, or give the guest a graphics card and start it anew" },
		"no-such-screen",
	);
}

/** The socket of the guest's agent, when it has one that the host connects to. All of it is the config's. */
export function clipboardSocketOf(guest: Guest): string | undefined {
	const channel = guest.record.config.channels.find(({ name }) => name === AGENT_CHANNEL);
	const endpoint = channel && channelEndpoint(channel);
	return endpoint?.kind === "unix" ? endpoint.path : undefined;
}

export function describeScreen(guest: Guest, relayDirectory: string, browserUrl: string | undefined): Screen {
	return {
		guest: { uuid: guest.uuid, name: guest.name },
		socketPath: screenSocketOf(guest, relayDirectory),
		...(browserUrl !== undefined && { browserUrl }),
		...(clipboardSocketOf(guest) !== undefined && { clipboardChannel: AGENT_CHANNEL }),
	};
}
