import { CancelledError, serializeError } from "@bulkhead/base";
import { ChannelServer, numberedChannels } from "@bulkhead/toolstack";
import type { Services } from "../services.ts";
import type { Guest } from "./guest.ts";

/** What serves a guest's channels while its domain is there. */
export interface ServedChannels {
	server: ChannelServer;
	stop: () => void;
}

/** Serves the channels of a running guest from now on, until `stop`. Safe to repeat: then all are looked at again. */
export function serveChannels(guest: Guest, services: Services): void {
	const { domid } = guest.record.runtime.guest;
	if (domid === undefined || guest.record.config.channels.length === 0) return;
	const { log } = services;
	const tell = (channel: string, error: unknown): void =>
		log.warn({ guest: guest.uuid, channel, error: serializeError(error) }, "Cannot serve a channel");
	const failed = (error: unknown): void => {
		if (!(error instanceof CancelledError)) log.error({ guest: guest.uuid, error: serializeError(error) }, "Channels");
	};
	if (guest.channels) {
		guest.channels.server.lookAgain().catch(failed);
		return;
	}
	const end = new AbortController();
	const server = new ChannelServer({
		host: guest.context(services),
		guest: guest.uuid,
		domid,
		channels: () => (end.signal.aborted ? [] : numberedChannels(guest.record.config.channels, guest.record.runtime)),
		onProblem: tell,
	});
	guest.channels = { server, stop: () => end.abort() };
	server.run(end.signal).catch((error: unknown) => {
		if (!end.signal.aborted) failed(error);
	});
}

/** Before its domain goes. */
export function stopChannels(guest: Guest): void {
	guest.channels?.stop();
	guest.channels = undefined;
}
