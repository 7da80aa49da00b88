import type { TriggerRequest } from "@bulkhead/api/client";
import { InvalidInputError } from "@bulkhead/base";
import type { CommandContext } from "../command-context.ts";

const TRIGGERS = ["nmi", "reset", "init", "power", "sleep", "s3resume"] as const;

export async function trigger(context: CommandContext, ref: string, name: string, vcpu?: number): Promise<void> {
	const known = TRIGGERS.find((each) => each === name);
	if (!known)
		throw new InvalidInputError(`There is no trigger ${JSON.stringify(name)}`, {
			remedy: `Use one of: ${TRIGGERS.join(", ")}`,
		});
	const request: TriggerRequest = { trigger: known, ...(vcpu !== undefined && { vcpu }) };
	await context.client.trigger(ref, request);
	if (context.json) context.printJson(request);
}

export async function sysrq(context: CommandContext, ref: string, key: string): Promise<void> {
	await context.client.sysrq(ref, key);
	if (context.json) context.printJson({ key });
}

export async function debugKeys(context: CommandContext, keys: string): Promise<void> {
	await context.client.debugKeys(keys);
	if (context.json) context.printJson({ keys });
}
