import type { Channel } from "@bulkhead/api/client";
import { printable } from "@bulkhead/base";

/** Channels in the columns of `xl channel-list` (xl_console.c), whose last has no title; then what xl does not show. */
export function channelTable(channels: readonly Channel[]): string {
	const header = row(["Idx", "BE", "state", "evt-ch", "ring-ref", "connection", "", "name"]);
	return [header, ...channels.map(channelRow)].join("\n");
}

function channelRow(channel: Channel, index: number): string {
	const { backendDomid, state, eventChannel, ringRef, connection, ptyPath, socketPath, name } = channel;
	const place = ptyPath ?? socketPath ?? (connection === "pty" ? "" : connection);
	const kind = connection.replace(/:.*/, "").replace("unix", "socket");
	return row([
		`${index}`,
		`${backendDomid}`,
		`${state}`,
		`${eventChannel}`,
		`${ringRef}`,
		kind,
		printable(place, 256),
		printable(name, 64),
	]);
}

/** Positive: padded behind. */
const WIDTHS = [3, 2, 5, 6, -8, 10, 30, 0] as const;

const row = (cells: readonly string[]): string =>
	cells
		.map((cell, at) => {
			const width = WIDTHS[at] ?? 0;
			return width < 0 ? cell.padStart(-width) : cell.padEnd(width);
		})
		.join(" ")
		.trimEnd();
