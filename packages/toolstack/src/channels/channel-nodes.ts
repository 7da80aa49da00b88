import type { DomId } from "@bulkhead/base";
import type { XenstoreClient, XenstoreValue, XenstoreView } from "@bulkhead/xenstore";
import { type ChannelConfig, channelEndpoint } from "@bulkhead/xlcfg";
import { frontend, XENBUS_STATE } from "../devices/xenbus.ts";
import { type NodeTree, writeNodes } from "../domain/node-tree.ts";
import { backendPath, backendsPath, frontendPath, recordPath, toolstackPath } from "../domain/paths.ts";
import { hidden, readableBy } from "../domain/permissions.ts";
import { removeIfEmpty } from "../domain/remove-nodes.ts";

/** libxl's LIBXL_XENCONSOLE_LIMIT and LIBXL_XENCONSOLE_PROTOCOL. */
const LIMIT = 1_048_576;
const PROTOCOL = "vt100";

/** A channel with its console's number in the guest. */
export interface NumberedChannel {
	channel: ChannelConfig;
	devid: number;
}

/** libxl's two words: others know no more of them. */
const kindOf = (channel: ChannelConfig): "pty" | "socket" =>
	channelEndpoint(channel).kind === "pty" ? "pty" : "socket";

/** What Xen's tools show for a socket. */
function placeOf(channel: ChannelConfig): string | undefined {
	const endpoint = channelEndpoint(channel);
	if (endpoint.kind === "pty") return undefined;
	if (endpoint.kind === "unix") return endpoint.path;
	return `${endpoint.tls ? "tls" : "tcp"}:${endpoint.host}:${endpoint.port}`;
}

/**
 * The guest's half (libxl__device_console_add). What it must not change, it can only read: a guest that could write
 * `output` once had files of the host written. Nobody here reads it back.
 */
export function channelFrontend(domid: DomId, { channel, devid }: NumberedChannel): NodeTree {
	const output = kindOf(channel) === "pty" ? "pty" : `chardev:libxl-channel${devid}`;
	const fixed = { name: channel.name, limit: LIMIT, type: "ioemu", output, tty: "" };
	const own = { protocol: PROTOCOL, state: XENBUS_STATE.initialising };
	return frontend(domid, backendPath(domid, "console", devid), own, fixed);
}

/**
 * Domain 0's half. It begins at InitWait: a QEMU in domain 0 looks only at those that begin at Initialising
 * (xen-legacy-backend.c: xen_be_try_setup; xen-bus.c: xen_bus_type_enumerate), and this one is the relay's.
 */
function backendKeys(domid: DomId, { channel, devid }: NumberedChannel): Record<string, XenstoreValue> {
	const path = placeOf(channel);
	return {
		frontend: frontendPath(domid, "console", devid),
		"frontend-id": domid,
		online: 1,
		protocol: PROTOCOL,
		name: channel.name,
		connection: kindOf(channel),
		...(path !== undefined && { path }),
		state: XENBUS_STATE.initWait,
	};
}

/** Both ends, and the record that Xen's own tools go by. For a transaction. */
export async function writeChannels(
	store: XenstoreView,
	domid: DomId,
	channels: readonly NumberedChannel[],
): Promise<void> {
	await Promise.all(
		channels.flatMap((each) => {
			const keys = backendKeys(domid, each);
			const backend = backendPath(domid, "console", each.devid);
			const readable = readableBy(domid);
			return [
				writeNodes(store, frontendPath(domid, "console", each.devid), channelFrontend(domid, each), readable),
				writeNodes(store, `${backendsPath(domid, "console")}/${each.devid}`, { permissions: readable, children: keys }),
				writeNodes(store, recordPath(domid, "console", each.devid), { children: { ...keys, backend } }, hidden),
			];
		}),
	);
}

export async function removeChannelRecord(store: XenstoreClient, domid: DomId, devid: number): Promise<void> {
	const record = recordPath(domid, "console", devid);
	await store.transaction(async (tx) => {
		await tx.remove(record);
		for (const parent of [record.replace(/\/\d+$/, ""), `${toolstackPath(domid)}/device`])
			await removeIfEmpty(tx, parent);
	});
}
