import * as z from "zod";

/** A channel of a guest, as GET /guests/{ref}/channels tells of it. */
export interface Channel {
	/** "org.example.agent.v1" */
	name: string;
	/** Number of its console in the guest; absent while the guest does not run. It may change with each start. */
	devid?: number;
	/** As in the config: "pty", "socket", or an address. */
	connection: string;
	/** Where to connect to: one of the two, of a channel that lets the host connect. A pty is there while the guest's end is. */
	socketPath?: string;
	ptyPath?: string;
	backendDomid: number;
	/** The frontend's xenbus state, port and grant: -1 for what is not there. */
	state: number;
	eventChannel: number;
	ringRef: number;
	/** The relay's counts since the guest's end came, absent while it serves none: who is connected, bytes each way, and bytes that the guest wrote to nobody. */
	traffic?: { clients: number; fromGuest: number; toGuest: number; dropped: number };
	/** Why it is not served. */
	problem?: string;
}

/** Body of POST /guests/{ref}/channels. */
export interface AttachChannelRequest {
	/** As an entry of `channel = [ … ]`. */
	spec: string;
}

export interface AttachChannelResult {
	channel: Channel;
}

export interface DetachChannelResult {
	/** As it last was. */
	channel: Channel;
	/** The guest did not let go of it by itself, or was not asked. */
	forced: boolean;
	/** What the guest's driver said. */
	complaints: string[];
}

export const attachChannelRequest: z.ZodType<AttachChannelRequest> = z.object({ spec: z.string().min(1).max(8192) });

const count = z.number().int().min(0);

export const channelDocument: z.ZodType<Channel> = z.object({
	name: z.string(),
	devid: count.optional(),
	connection: z.string(),
	socketPath: z.string().optional(),
	ptyPath: z.string().optional(),
	backendDomid: count,
	state: z.number().int(),
	eventChannel: z.number().int(),
	ringRef: z.number().int(),
	traffic: z.object({ clients: count, fromGuest: count, toGuest: count, dropped: count }).optional(),
	problem: z.string().optional(),
});
