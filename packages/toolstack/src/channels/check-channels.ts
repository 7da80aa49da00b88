import { InvalidInputError } from "@bulkhead/base";
import { type ChannelConfig, channelEndpoint, checkChannelFits } from "@bulkhead/xlcfg";
import { readKeys } from "./channel-keys.ts";
import { idOf } from "./socket-owner.ts";
import { resolveSocketPath } from "./socket-place.ts";

/** Linux has a tty for consoles 0 to 7 and no more (hvc_console.c: HVC_ALLOC_TTY_ADAPTERS); 0 is the ordinary one. */
export const MOST_CHANNELS = 7;

/** A channel that the host cannot give a guest. Nothing has been made. */
export class ChannelUnusableError extends InvalidInputError {
	constructor({ name }: ChannelConfig, why: string, remedy: string) {
		super(`Channel ${name} ${why}`, { remedy, fields: { channel: name } }, "channel-unusable");
	}
}

/** Checks what a guest's channels need of the host. @throws ChannelUnusableError, SocketPlaceError, FileUnusableError */
export async function checkChannels(channels: readonly ChannelConfig[]): Promise<void> {
	for (const [index, channel] of channels.entries()) await checkFurtherChannel(channel, channels.slice(0, index));
}

/** The same for one more. */
export async function checkFurtherChannel(channel: ChannelConfig, earlier: readonly ChannelConfig[]): Promise<void> {
	checkChannelFits(channel, earlier);
	if (earlier.length >= MOST_CHANNELS)
		throw new ChannelUnusableError(channel, `is one too many: a guest has ${MOST_CHANNELS}`, "Carry more over one");
	if (channel.backend !== undefined)
		throw new ChannelUnusableError(
			channel,
			"has its backend in another domain, where its path would mean another place",
			"Leave backend out, and reach other hosts with connection=tls:",
		);
	const endpoint = channelEndpoint(channel);
	if (endpoint.kind === "unix") {
		await idOf("owner", endpoint.owner, 0);
		await idOf("group", endpoint.group, 0);
		await resolveSocketPath(endpoint.path);
	}
	if (endpoint.kind === "tcp" && endpoint.tls) await readKeys(endpoint.tls);
}
