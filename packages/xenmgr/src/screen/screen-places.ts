import type { Screen } from "@bulkhead/api";
import { screenSocketPath } from "@bulkhead/api/relay";
import { InvalidInputError } from "@bulkhead/base";
import { hasStubScreen } from "@bulkhead/toolstack";
import { channelEndpoint } from "@bulkhead/xlcfg";
import type { Guest } from "../guests/guest.ts";

/** The lines of packages/channel/guest/channel-agent, one of which is a clipboard's. */
const AGENT_CHANNEL = "org.bulkhead.agent.v1";

/** Where the relay serves a guest's screen. `relayDirectory`: of its sockets. @throws InvalidInputError `no-such-screen` */
export function screenSocketOf(guest: Guest, relayDirectory: string): string {
	const { config } = guest.record;
	if (hasStubScreen(config)) return screenSocketPath(relayDirectory, guest.uuid);
	const elsewhere = config.type !== "hvm" || config.deviceModel?.place === "dom0";
	const why = elsewhere
		? "no QEMU of it is in a stub domain"
		: `its config says ${config.vga === "none" ? 'vga="none"' : "nographic=1"}`;
	const remedy = elsewhere
		? "Use `bulkhead console`; a QEMU in domain 0 shows the screen by VNC itself, where vnc and vnclisten say"
		: "Use `bulkhead console`, or give the guest a graphics card and start it anew";
	throw new InvalidInputError(`Guest ${guest.name} has no screen here: ${why}`, { remedy }, "no-such-screen");
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
