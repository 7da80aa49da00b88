import type { HostEvent } from "@bulkhead/api/client";
import type { CommandContext } from "../command-context.ts";
import { eventLine } from "../output/event-line.ts";
import { listenForStop } from "../stopping.ts";

/** Prints events until a signal comes. */
export async function events(
	context: CommandContext,
	ref: string | undefined,
	accept: (event: HostEvent) => boolean = ({ type }) => type !== "heartbeat" || context.verbose,
): Promise<number | undefined> {
	const stopping = listenForStop(context.io);
	try {
		for await (const event of context.client.events(ref, stopping.asked)) {
			if (!accept(event)) continue;
			if (context.json) context.printJson(event);
			else context.print(eventLine(event));
		}
	} catch (error) {
		if (!stopping.asked.aborted) throw error;
	} finally {
		stopping.end();
	}
	return stopping.exitCode();
}
