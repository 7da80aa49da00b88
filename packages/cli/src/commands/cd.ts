import { resolve } from "node:path";
import type { CommandContext } from "../command-context.ts";
import { report } from "./block.ts";

export async function cdInsert(context: CommandContext, ref: string, vdev: string, file: string): Promise<void> {
	const path = resolve(file);
	report(context, await context.client.changeMedium(ref, vdev, { path }), `${path} is in ${vdev} of ${ref}`);
}

export async function cdEject(context: CommandContext, ref: string, vdev: string): Promise<void> {
	report(context, await context.client.changeMedium(ref, vdev, {}), `${vdev} of ${ref} is empty`);
}
