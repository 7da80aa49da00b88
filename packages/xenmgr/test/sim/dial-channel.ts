import { connect, type Socket } from "node:net";
import { onTestFinished } from "vitest";
import type { SimWorld } from "./sim-world.ts";

/** What it has heard is in `text`. */
export type ChannelClient = Socket & { text: string };

/** A client of a channel's socket, once it is there: the simulated host has no file before the guest's end has come. */
export async function dial(world: SimWorld, path: string): Promise<ChannelClient> {
	const socket = await world.eventually(`somebody at ${path}`, () => tryConnect(path));
	onTestFinished(() => void socket.destroy());
	return socket;
}

function tryConnect(path: string): Promise<ChannelClient | undefined> {
	return new Promise((resolve) => {
		const socket = Object.assign(connect(path), { text: "" });
		socket.on("data", (chunk) => {
			socket.text += chunk;
		});
		socket.once("connect", () => resolve(socket));
		socket.on("error", () => resolve(undefined));
	});
}
