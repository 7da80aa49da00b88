import type { DiskResult, GuestDisk } from "@bulkhead/api/client";
import { printable } from "@bulkhead/base";
import type { CommandContext } from "../command-context.ts";
import { diskTable } from "../output/disk-table.ts";

/** As xl's, each word is a part of the specification. */
export async function blockAttach(context: CommandContext, ref: string, parts: readonly string[]): Promise<void> {
	const request = { spec: parts.join(","), baseDir: process.cwd() };
	const result = await context.client.attachDisk(ref, request);
	report(context, result, `${result.disk.vdev} attached to ${ref}`);
}

export async function blockDetach(context: CommandContext, ref: string, vdev: string, force: boolean): Promise<void> {
	const result = await context.client.detachDisk(ref, vdev, { force });
	report(context, result, `${result.disk.vdev} detached from ${ref}`);
}

export async function blockList(context: CommandContext, refs: readonly string[]): Promise<void> {
	const disks: GuestDisk[] = (await Promise.all(refs.map((ref) => context.client.disks(ref)))).flat();
	if (context.json) context.printJson(disks);
	else context.print(diskTable(disks));
}

/** What a change came to: its warnings are no result. */
export function report(context: CommandContext, result: DiskResult, sentence: string): void {
	if (context.json) {
		context.printJson(result);
		return;
	}
	for (const warning of result.warnings) context.note(`bulkhead: warning: ${printable(warning, 1024)}`);
	context.print(printable(sentence));
}
