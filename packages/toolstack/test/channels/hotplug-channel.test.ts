import { randomUuid } from "@bulkhead/base";
import { expect, it } from "vitest";
import { writeChannels } from "../../src/channels/channel-nodes.ts";
import { type ChannelHost, detachChannel } from "../../src/channels/hotplug-channel.ts";
import { GUEST, XenbusWorld } from "../xenbus-world.ts";

const CHANNEL = { channel: { name: "org.example.agent.v1", connection: "pty" }, devid: 1 };
const FRONTEND = `/local/domain/${GUEST}/device/console/1`;
const BACKEND = `/local/domain/0/backend/console/${GUEST}/1`;

it("a ring is given back before its guest, which may use the page for anything, finds the channel gone", async () => {
	const world = new XenbusWorld();
	const { host } = world.server;
	await world.dom0.transaction((tx) => writeChannels(tx, GUEST, [CHANNEL]));
	const wasThere: boolean[] = [];
	const detachRing = async (): Promise<void> => {
		wasThere.push(host.find(FRONTEND) !== undefined);
		// As the ChannelServer does that serves it.
		if (host.find(BACKEND) !== undefined) host.write(`${BACKEND}/state`, "6");
	};
	const rings = { detachChannel: detachRing };
	const parts = { xenstore: world.dom0, rings, listeners: new Map() } as unknown as ChannelHost;
	const { forced } = await detachChannel(parts, randomUuid(), GUEST, CHANNEL, { force: true });
	expect(forced).toBe(true);
	expect(wasThere[0]).toBe(true);
	expect(host.find(FRONTEND)).toBeUndefined();
});
