import type { ChannelConfig } from "@bulkhead/xlcfg";
import type { GuestRuntime, PlacedChannel } from "../runtime.ts";
import type { NumberedChannel } from "./channel-nodes.ts";

/**
 * Numbers for the channels of a guest that starts: in the config's order from 1, as 0 is the ordinary console. (libxl of
 * Xen 4.17 begins at 0 and loses the first one.)
 */
export const placeChannels = (channels: readonly ChannelConfig[]): PlacedChannel[] =>
	channels.map(({ name }, index) => ({ name, devid: index + 1 }));

/**
 * The number for one more: the lowest free one. Linux gives a new console the lowest tty that is free, so that number
 * and tty go together (hvc_console.c: hvc_alloc).
 */
export function freeDevid(placed: readonly PlacedChannel[]): number {
	for (let devid = 1; ; devid++) if (!placed.some((other) => other.devid === devid)) return devid;
}

/** The guest's channels as they are numbered now. */
export function numberedChannels(
	channels: readonly ChannelConfig[],
	{ channels: placed = [] }: GuestRuntime,
): NumberedChannel[] {
	return channels.flatMap((channel) => {
		const place = placed.find(({ name }) => name === channel.name);
		return place ? [{ channel, devid: place.devid }] : [];
	});
}
