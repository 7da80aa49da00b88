import type { ShutdownRequest } from "@bulkhead/api/client";
import { printable } from "@bulkhead/base";
import type { CommandContext } from "../command-context.ts";
import { runOperation } from "../run-operation.ts";

export async function shutdown(context: CommandContext, ref: string, request: ShutdownRequest): Promise<void> {
	const { result } = await runOperation(context, (options) => context.client.shutdown(ref, request, options));
	const { guest, asked, ended } = result;
	if (context.json) context.printJson({ guest, asked, ...(ended === undefined ? {} : { ended }) });
	else if (ended === undefined) context.print(`${printable(guest.name)} was asked to shut down (${printable(asked)})`);
	else context.print(`${printable(guest.name)} ended: ${printable(ended)}`);
}
