import { printable } from "@bulkhead/base";
import type { CommandContext } from "../command-context.ts";
import { runOperation } from "../run-operation.ts";

export async function destroy(context: CommandContext, ref: string): Promise<void> {
	const { result } = await runOperation(context, (options) => context.client.destroy(ref, options));
	if (context.json) context.printJson({ guest: result.guest });
	else context.print(`${printable(result.guest.name)} destroyed`);
}
