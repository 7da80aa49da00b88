import { serializeError } from "@bulkhead/base";
import { ChannelServer, numberedChannels } from "@bulkhead/toolstack";
import type { Services } from "../services.ts";
import type { Guest } from "./guest.ts";

/** Serves the channels of a running guest from now on, until `stopChannels`. Safe to repeat: then all are looked at again. */
export function serveChannels(guest: Guest, services: Services): void {
	const { domid } = guest.record.runtime.guest;
	if (domid === undefined || guest.record.config.channels.length === 0) return;
	const { log } = services;
	const failed = (error: unknown): void =>
		log.error({ guest: guest.uuid, error: serializeError(error) }, "Channels are not followed any more");
	if (guest.channels) {
		guest.channels.lookAgain().catch(failed);
		return;
	}
	guest.channels = new ChannelServer({
		host: guest.context(services),
		guest: guest.uuid,
		domid,
		channels: () => numberedChannels(guest.record.config.channels, guest.record.runtime),
		onProblem: (channel, error) =>
			log.warn({ guest: guest.uuid, channel, error: serializeError(error) }, "Cannot serve a channel"),
	});
	guest.channels.run().catch(failed);
}

/** Before its domain goes. */
export async function stopChannels(guest: Guest): Promise<void> {
	const server = guest.channels;
	guest.channels = undefined;
	await server?.stop();
}
