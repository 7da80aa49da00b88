import type { AttachChannelResult, Channel, DetachChannelResult } from "@bulkhead/api";
import { DOM0 } from "@bulkhead/base";
import {
	attachChannel,
	checkFurtherChannel,
	DeviceRefusedError,
	detachChannel,
	freeDevid,
	frontendPath,
	type NumberedChannel,
	numberedChannels,
} from "@bulkhead/toolstack";
import { type ChannelConfig, channelEndpoint, parseChannelSpec } from "@bulkhead/xlcfg";
import type { Services } from "../services.ts";
import type { Guest } from "./guest.ts";
import { requireRunning } from "./power.ts";
import { serveChannels } from "./serve-channels.ts";

/** What xl shows for a number that is not there. */
const UNTOLD = -1;

/** The guest's channels, with what their frontends and the relay say now. */
export async function listChannels(guest: Guest, services: Services): Promise<Channel[]> {
	const { relay } = services;
	const { channels } = guest.record.config;
	if (channels.length === 0) return [];
	const served = relay.connected ? (await relay.list(guest.uuid)).channels : [];
	return Promise.all(
		channels.map((channel) => {
			const here = served.find(({ guest: id, name }) => id === guest.uuid && name === channel.name);
			return describeChannel(guest, services, channel, here);
		}),
	);
}

/**
 * Gives a running guest another channel, and its config too: it is there again after a reboot. The caller holds the
 * guest's `operations`. @throws InvalidInputError; what attachChannel throws, with nothing left of the channel
 */
export async function attachGuestChannel(guest: Guest, services: Services, spec: string): Promise<AttachChannelResult> {
	const { record } = guest;
	const domid = requireRunning(guest);
	const channel = parseChannelSpec(spec);
	const { channels: earlier } = record.config;
	const placed = record.runtime.channels ?? [];
	await checkFurtherChannel(channel, earlier);
	const devid = freeDevid(placed);
	const keep = async (channels: ChannelConfig[], places: typeof placed): Promise<void> => {
		record.config = { ...record.config, channels };
		record.runtime.channels = places;
		await services.store.save(record);
	};
	// Written down first, so that a daemon that finds it half made knows of it.
	await keep([...earlier, channel], [...placed, { name: channel.name, devid }]);
	try {
		await attachChannel(guest.context(services), domid, { channel, devid });
	} catch (error) {
		await keep(earlier, placed);
		throw error;
	}
	serveChannels(guest, services);
	services.events.emit("device-attached", { guest: guest.identity, kind: "console", devid, name: channel.name });
	return { channel: await describeChannel(guest, services, channel, undefined) };
}

/** Takes a channel away. The caller holds the guest's `operations`. @throws DeviceRefusedError `no-such-device` */
export async function detachGuestChannel(
	guest: Guest,
	services: Services,
	name: string,
	{ force }: { force: boolean },
): Promise<DetachChannelResult> {
	const { record } = guest;
	const domid = requireRunning(guest);
	const found = findChannel(guest, name);
	const last = (await listChannels(guest, services)).find((channel) => channel.name === name);
	const { forced, complaints } = await detachChannel(guest.context(services), guest.uuid, domid, found, { force });
	record.config = { ...record.config, channels: record.config.channels.filter((each) => each.name !== name) };
	record.runtime.channels = record.runtime.channels?.filter((each) => each.name !== name);
	await services.store.save(record);
	services.events.emit("device-detached", { guest: guest.identity, kind: "console", devid: found.devid, name });
	return { channel: last ?? (await describeChannel(guest, services, found.channel, undefined)), forced, complaints };
}

function findChannel({ record: { config, runtime } }: Guest, name: string): NumberedChannel {
	const found = numberedChannels(config.channels, runtime).find(({ channel }) => channel.name === name);
	if (found) return found;
	throw new DeviceRefusedError("no-such-device", `The guest has no channel ${JSON.stringify(name.slice(0, 64))}`, {
		remedy: "See `bulkhead channel-list` for those that it has",
		fields: { name },
	});
}

type Served = Awaited<ReturnType<Services["relay"]["list"]>>["channels"][number];

async function describeChannel(
	guest: Guest,
	{ xenstore }: Services,
	channel: ChannelConfig,
	served: Served | undefined,
): Promise<Channel> {
	const { runtime } = guest.record;
	const devid = runtime.channels?.find(({ name }) => name === channel.name)?.devid;
	const domid = runtime.guest.domid;
	const number = async (key: string): Promise<number> => {
		if (devid === undefined || domid === undefined) return UNTOLD;
		const text = await xenstore.find(`${frontendPath(domid, "console", devid)}/${key}`);
		return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : UNTOLD;
	};
	const [state, eventChannel, ringRef] = await Promise.all([number("state"), number("port"), number("ring-ref")]);
	const endpoint = channelEndpoint(channel);
	const problem = guest.channels?.problems.get(channel.name) ?? served?.trouble;
	return {
		name: channel.name,
		...(devid !== undefined && { devid }),
		connection: channel.connection,
		...(endpoint.kind === "unix" && { socketPath: endpoint.path }),
		...(served?.ptyPath !== undefined && { ptyPath: served.ptyPath }),
		backendDomid: DOM0,
		state,
		eventChannel,
		ringRef,
		...(served && { traffic: trafficOf(served) }),
		...(problem !== undefined && { problem }),
	};
}

const trafficOf = ({ clients, fromGuest, toGuest, dropped }: Served): Channel["traffic"] => ({
	clients,
	fromGuest,
	toGuest,
	dropped,
});
