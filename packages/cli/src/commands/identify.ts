import { InvalidInputError, printable } from "@bulkhead/base";
import type { CommandContext } from "../command-context.ts";

export async function domid(context: CommandContext, ref: string): Promise<void> {
	const { domid: number, name } = await context.client.guest(ref);
	if (number === undefined)
		throw new InvalidInputError(`Guest ${name} has no domain at the moment`, {}, "guest-not-running");
	if (context.json) context.printJson({ domid: number });
	else context.print(`${number}`);
}

export async function domname(context: CommandContext, ref: string): Promise<void> {
	const { name } = await context.client.guest(ref);
	if (context.json) context.printJson({ name });
	else context.print(printable(name));
}
