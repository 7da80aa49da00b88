import { printable } from "@bulkhead/base";
import type { CommandContext } from "../command-context.ts";
import { formatDuration } from "../output/format-duration.ts";

/** In the columns of `xl uptime`. */
export async function uptime(context: CommandContext, refs: readonly string[]): Promise<void> {
	const { client } = context;
	const guests = refs.length === 0 ? await client.guests() : await Promise.all(refs.map((ref) => client.guest(ref)));
	if (context.json) {
		context.printJson(guests.map(({ uuid, name, domid, uptimeSeconds }) => ({ uuid, name, domid, uptimeSeconds })));
		return;
	}
	context.print(`${"Name".padEnd(33)} ${"ID".padStart(4)} Uptime`);
	for (const { name, domid, uptimeSeconds } of guests)
		context.print(`${printable(name).padEnd(33)} ${`${domid ?? "-"}`.padStart(4)} ${formatDuration(uptimeSeconds)}`);
}
