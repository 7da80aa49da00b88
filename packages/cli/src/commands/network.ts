import { printable } from "@bulkhead/base";
import type { CommandContext } from "../command-context.ts";
import { nicTable } from "../output/nic-table.ts";
import { runOperation } from "../run-operation.ts";

export async function networkAttach(
	context: CommandContext,
	ref: string,
	parameters: readonly string[],
): Promise<void> {
	const spec = parameters.join(",");
	const { result } = await runOperation(context, (options) => context.client.attachNic(ref, spec, options));
	const { nic } = result;
	if (context.json) context.printJson({ nic });
	else context.print(`nic ${nic.devid} (${printable(nic.mac, 32)}) attached to ${printable(ref)}`);
}

export async function networkDetach(
	context: CommandContext,
	ref: string,
	reference: string,
	{ force }: { force: boolean },
): Promise<void> {
	const { result } = await runOperation(context, (options) =>
		context.client.detachNic(ref, reference, { force }, options),
	);
	const { nic, forced, complaints } = result;
	if (context.json) {
		context.printJson({ nic, forced, complaints });
		return;
	}
	for (const complaint of complaints) context.note(`bulkhead: ${printable(complaint)}`);
	const how = forced && !force ? ", by force" : "";
	context.print(`nic ${nic.devid} (${printable(nic.mac, 32)}) detached from ${printable(ref)}${how}`);
}

export async function networkList(context: CommandContext, ref: string): Promise<void> {
	const nics = await context.client.nics(ref);
	if (context.json) context.printJson(nics);
	else context.print(nicTable(nics));
}
