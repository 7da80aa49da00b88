import { printable } from "@bulkhead/base";
import type { CommandContext } from "../command-context.ts";

const DONE = { reboot: "was asked to reboot", pause: "paused", unpause: "runs" } as const;

/** The commands that are one request and one sentence. */
export async function act(context: CommandContext, action: keyof typeof DONE, ref: string): Promise<void> {
	const guest = await context.client[action](ref);
	if (context.json) context.printJson(guest);
	else context.print(`${printable(guest.name)} ${DONE[action]}`);
}
