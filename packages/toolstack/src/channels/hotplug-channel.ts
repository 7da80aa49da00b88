import type { DomId, Uuid } from "@bulkhead/base";
import type { XenstoreClient } from "@bulkhead/xenstore";
import type { ToolstackContext } from "../context.ts";
import { type Removal, removeXenbusDevice } from "../devices/xenbus-removal.ts";
import { closeListener, holdListener, type ListenerHost, listens } from "./channel-listener.ts";
import { type NumberedChannel, removeChannelRecord, writeChannels } from "./channel-nodes.ts";

export type ChannelHost = ListenerHost & Pick<ToolstackContext, "rings"> & { xenstore: XenstoreClient };

/** Gives a running domain another channel: a ChannelServer does the rest. On failure nothing of it is left. */
export async function attachChannel(host: ChannelHost, domid: DomId, channel: NumberedChannel): Promise<void> {
	try {
		if (listens(channel.channel)) await holdListener(host, channel.channel);
		await host.xenstore.transaction((tx) => writeChannels(tx, domid, [channel]));
	} catch (error) {
		await closeListener(host, channel.channel);
		throw error;
	}
}

/**
 * Takes a channel away from a running domain, bounded in time whatever the domain does. The domain's ChannelServer must
 * run: it closes the backend. Safe to repeat.
 */
export async function detachChannel(
	host: ChannelHost,
	guest: Uuid,
	domid: DomId,
	{ channel, devid }: NumberedChannel,
	{ force }: { force: boolean },
): Promise<Removal> {
	const device = { domid, kind: "console", devid };
	const letGo = (): Promise<void> => host.rings.detachChannel(guest, channel.name);
	const removal = await removeXenbusDevice(host.xenstore, device, {
		mode: force ? "force" : "auto",
		beforeForce: letGo,
	});
	await removeChannelRecord(host.xenstore, domid, devid);
	await letGo();
	await closeListener(host, channel);
	return removal;
}
