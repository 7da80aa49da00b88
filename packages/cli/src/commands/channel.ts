import type { Channel } from "@bulkhead/api/client";
import { printable } from "@bulkhead/base";
import type { CommandContext } from "../command-context.ts";
import { channelTable } from "../output/channel-table.ts";
import { runOperation } from "../run-operation.ts";

export async function channelAttach(
	context: CommandContext,
	ref: string,
	parameters: readonly string[],
): Promise<void> {
	const spec = parameters.join(",");
	const { result } = await runOperation(context, (options) => context.client.attachChannel(ref, spec, options));
	const { channel } = result;
	if (context.json) context.printJson({ channel });
	else context.print(`channel ${titleOf(channel)} attached to ${printable(ref)}`);
}

export async function channelDetach(
	context: CommandContext,
	ref: string,
	name: string,
	{ force }: { force: boolean },
): Promise<void> {
	const { result } = await runOperation(context, (options) =>
		context.client.detachChannel(ref, name, { force }, options),
	);
	const { channel, forced, complaints } = result;
	if (context.json) {
		context.printJson({ channel, forced, complaints });
		return;
	}
	for (const complaint of complaints) context.note(`bulkhead: ${printable(complaint)}`);
	const how = forced && !force ? ", by force" : "";
	context.print(`channel ${titleOf(channel)} detached from ${printable(ref)}${how}`);
}

export async function channelList(context: CommandContext, ref: string): Promise<void> {
	const channels = await context.client.channels(ref);
	if (context.json) {
		context.printJson(channels);
		return;
	}
	context.print(channelTable(channels));
	for (const { name, problem } of channels)
		if (problem !== undefined) context.note(`bulkhead: channel ${printable(name, 64)}: ${printable(problem)}`);
}

const titleOf = ({ name, devid }: Channel): string =>
	`${printable(name, 64)}${devid === undefined ? "" : ` (console ${devid})`}`;
