import { fileURLToPath } from "node:url";
import type { CpioEntry } from "@bulkhead/image";
import { sourcePath } from "./source-files.ts";

/** What @bulkhead/channel gives to guests, and BusyBox' part of it. */
export const CHANNEL_SOURCES: string[] = [
	fileURLToPath(new URL("../../../packages/channel/guest", import.meta.url)),
	sourcePath("channel"),
];

export function channelEntries(): CpioEntry[] {
	const [given = "", own = ""] = CHANNEL_SOURCES;
	const files = [`${given}/channel-link`, `${given}/channel-agent`, `${own}/channel-event`];
	return files.map((file) => ({
		type: "file",
		path: `bin/${file.replace(/.*\//, "")}`,
		mode: 0o755,
		content: { file },
	}));
}
