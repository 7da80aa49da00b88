import type { HeldListener } from "@bulkhead/hypervisor";
import { type ChannelConfig, type ChannelEndpoint, channelEndpoint } from "@bulkhead/xlcfg";
import type { ToolstackContext } from "../context.ts";
import { idOf } from "./socket-owner.ts";
import { clearSocketPlace, removeSocketFile, resolveSocketPath } from "./socket-place.ts";

export type ListenerHost = Pick<ToolstackContext, "hypervisor" | "listeners">;

/** Whether somebody is to connect to it. */
export function listens(channel: ChannelConfig): boolean {
	const endpoint = channelEndpoint(channel);
	return endpoint.kind === "unix" || (endpoint.kind === "tcp" && endpoint.listen);
}

/** The channel's listening socket: the one that is held, or a new one. @throws SocketPlaceError, HypervisorError */
export async function holdListener(host: ListenerHost, channel: ChannelConfig): Promise<HeldListener> {
	const held = host.listeners.get(channel.name);
	if (held) return held;
	const listener = await listen(host, channelEndpoint(channel));
	host.listeners.set(channel.name, listener);
	return listener;
}

async function listen({ hypervisor: { listeners } }: ListenerHost, endpoint: ChannelEndpoint): Promise<HeldListener> {
	if (endpoint.kind === "pty") throw new TypeError("Nobody connects to a pty");
	if (endpoint.kind === "tcp") return listeners.listen({ address: endpoint.host, port: endpoint.port });
	const uid = await idOf("owner", endpoint.owner, process.geteuid?.() ?? 0);
	const gid = await idOf("group", endpoint.group, process.getegid?.() ?? 0);
	await clearSocketPlace(endpoint.path);
	return listeners.listen({ path: await resolveSocketPath(endpoint.path), mode: endpoint.mode, uid, gid });
}

/** Lets go of a channel's listening socket and removes its file, also that of an earlier daemon. Safe to repeat. */
export async function closeListener({ listeners }: ListenerHost, channel: ChannelConfig): Promise<void> {
	listeners.get(channel.name)?.close();
	listeners.delete(channel.name);
	const endpoint = channelEndpoint(channel);
	if (endpoint.kind === "unix") await removeSocketFile(endpoint.path);
}

/** All of a guest's; the relay has let go of them. */
export async function closeListeners(host: ListenerHost & Pick<ToolstackContext, "config">): Promise<void> {
	for (const channel of host.config.channels) await closeListener(host, channel);
}
