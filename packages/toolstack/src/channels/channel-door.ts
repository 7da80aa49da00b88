import { type EvtchnPort, evtchnPort, type GrantRef, grantRef } from "@bulkhead/base";
import type { XenstoreClient } from "@bulkhead/xenstore";
import { type ChannelConfig, channelEndpoint } from "@bulkhead/xlcfg";
import type { ChannelDoor } from "../context.ts";
import { readKeys } from "./channel-keys.ts";
import { holdListener, type ListenerHost } from "./channel-listener.ts";

export interface ChannelRingPlace {
	devid: number;
	gref: GrantRef;
	remotePort: EvtchnPort;
}

/** The ring's numbers are the guest's own words: checked for range here, and by Xen when they are used. */
export async function readRing(store: XenstoreClient, frontend: string): Promise<Omit<ChannelRingPlace, "devid">> {
	const [ref, port] = await Promise.all([store.readText(`${frontend}/ring-ref`), store.readText(`${frontend}/port`)]);
	return { gref: grantRef(ref), remotePort: evtchnPort(port) };
}

/** What the relay needs to let the host in. @throws SocketPlaceError, HypervisorError, FileUnusableError */
export async function openDoor(host: ListenerHost, channel: ChannelConfig): Promise<ChannelDoor> {
	const endpoint = channelEndpoint(channel);
	if (endpoint.kind === "pty") return { kind: "pty" };
	const tls = endpoint.kind === "tcp" && endpoint.tls ? { tls: await readKeys(endpoint.tls) } : {};
	if (endpoint.kind === "unix" || endpoint.listen)
		return { kind: "listen", listener: await holdListener(host, channel), ...tls };
	return { kind: "connect", host: endpoint.host, port: endpoint.port, ...tls };
}
