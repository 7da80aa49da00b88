import { resolve } from "node:path";
import { printable } from "@bulkhead/base";
import type { CommandContext } from "../command-context.ts";
import { runOperation } from "../run-operation.ts";

export async function dumpCore(context: CommandContext, ref: string, file: string): Promise<void> {
	const path = resolve(context.io.workingDirectory, file);
	const { result } = await runOperation(context, (options) => context.client.dumpCore(ref, path, options));
	const { bytes } = result;
	if (context.json) context.printJson({ path, bytes });
	else context.print(`${printable(path)}: ${Math.round(bytes / (1 << 20))} MiB`);
}
