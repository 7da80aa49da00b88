import { closeSync, lstatSync, rmSync } from "node:fs";
import { errnoOf } from "@bulkhead/base";
import { type HandedListener, type ListenerInbox, MOST_UNTAKEN } from "../ports/listeners.ts";
import { attempt } from "../refusal.ts";
import type { RingsAddon } from "./addon-shapes.ts";

/** What has been sent is there when its sender is back from the call, so nobody needs to wait for it. */
export function openNativeInbox(addon: RingsAddon, path: string): ListenerInbox {
	removeSocket(path);
	const inbox = attempt(`Could not make the inbox ${path}`, () => addon.openInbox(path), { path });
	const untaken = new Map<string, number>();
	let open = true;
	const receive = (): void => {
		for (;;) {
			const message = attempt(`Could not read the inbox ${path}`, () => addon.receiveDescriptor(inbox), { path });
			if (!message) return;
			forget(untaken, message.token);
			untaken.set(message.token, message.fd);
			const [oldest] = untaken.keys();
			if (untaken.size > MOST_UNTAKEN && oldest !== undefined) forget(untaken, oldest);
		}
	};
	return {
		take: (token) => {
			receive();
			const fd = untaken.get(token);
			untaken.delete(token);
			return fd === undefined ? undefined : handed(fd);
		},
		close: () => {
			if (!open) return;
			open = false;
			for (const token of untaken.keys()) forget(untaken, token);
			closeSync(inbox);
		},
	};
}

function handed(fd: number): HandedListener {
	let mine = true;
	return {
		serve: (server) => {
			mine = false;
			server.listen({ fd });
		},
		close: () => {
			if (mine) closeSync(fd);
			mine = false;
		},
	};
}

function forget(untaken: Map<string, number>, token: string): void {
	const fd = untaken.get(token);
	untaken.delete(token);
	if (fd !== undefined) closeSync(fd);
}

function removeSocket(path: string): void {
	try {
		if (lstatSync(path).isSocket()) rmSync(path, { force: true });
	} catch (error) {
		if (errnoOf(error) !== "ENOENT") throw error;
	}
}
