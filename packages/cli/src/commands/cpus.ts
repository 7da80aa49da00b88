import type { GuestVcpus, PinRequest, SetSchedulingRequest } from "@bulkhead/api/client";
import type { CommandContext } from "../command-context.ts";
import { schedulingTable, vcpuTable } from "../output/cpu-tables.ts";

/** All guests when none is named, as xl does. */
async function refsOf({ client }: CommandContext, refs: readonly string[]): Promise<string[]> {
	if (refs.length > 0) return [...refs];
	return (await client.guests()).filter(({ domid }) => domid !== undefined).map(({ uuid }) => uuid);
}

export async function vcpuList(context: CommandContext, refs: readonly string[]): Promise<void> {
	const wanted = await refsOf(context, refs);
	const lists: GuestVcpus[] = await Promise.all(wanted.map((ref) => context.client.vcpus(ref)));
	if (context.json) context.printJson(lists);
	else context.print(vcpuTable(lists));
}

export async function vcpuSet(context: CommandContext, ref: string, count: number): Promise<void> {
	await context.client.setVcpus(ref, count);
	if (context.json) context.printJson({ count });
}

/** "-" leaves an affinity as it is, as in xl. */
export async function vcpuPin(
	context: CommandContext,
	ref: string,
	{ vcpu, hard, soft, ignoreMasks }: { vcpu: string; hard: string; soft?: string; ignoreMasks?: boolean },
): Promise<void> {
	const request: PinRequest = {
		vcpu: vcpu === "all" ? "all" : Number(vcpu),
		...(hard !== "-" && { hard }),
		...(soft !== undefined && soft !== "-" && { soft }),
		...(ignoreMasks && { ignoreMasks }),
	};
	await context.client.pinVcpu(ref, request);
	if (context.json) context.printJson(request);
}

/** Without a weight or a cap: what is in force, of one guest or of all that run under this scheduler. */
export async function sched(
	context: CommandContext,
	ref: string | undefined,
	request: SetSchedulingRequest,
): Promise<void> {
	const { client } = context;
	const isChange = request.weight !== undefined || request.cap !== undefined;
	const shown =
		ref !== undefined && isChange
			? [await client.setScheduling(ref, request)]
			: (
					await Promise.all(
						(await refsOf(context, ref === undefined ? [] : [ref])).map((each) => client.scheduling(each)),
					)
				).filter(({ scheduler }) => ref !== undefined || scheduler === request.scheduler);
	if (context.json) context.printJson(shown);
	else if (!isChange) context.print(schedulingTable(shown));
}
