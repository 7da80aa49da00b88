import { printable } from "@bulkhead/base";
import type { CommandContext } from "../command-context.ts";

export async function rename(context: CommandContext, ref: string, name: string): Promise<void> {
	const guest = await context.client.rename(ref, name);
	if (context.json) context.printJson(guest);
	else context.print(`${printable(ref)} is ${printable(guest.name)} now`);
}
