import { ProtocolError } from "@bulkhead/base";
import { z } from "zod";
import type { ExecuteOptions, QmpClient } from "./qmp-client.ts";

/** What the commands that we use return (qapi/*.json); keys that we do not use are left out. */
export interface CommandResults {
	/** `status` is a RunState, or one that a newer QEMU knows: "running", "paused", "prelaunch", "shutdown" … */
	"query-status": { running: boolean; status: string };
	"query-version": { qemu: { major: number; minor: number; micro: number }; package: string };
	"query-name": { name?: string };
	"query-uuid": { UUID: string };
	"query-commands": { name: string }[];
	"query-block": BlockInfo[];
	"query-chardev": { label: string; filename: string }[];
	"query-fdsets": FdsetInfo[];
	eject: Record<string, never>;
	"remove-fd": Record<string, never>;
	"blockdev-change-medium": Record<string, never>;
	cont: Record<string, never>;
	stop: Record<string, never>;
	quit: Record<string, never>;
	system_powerdown: Record<string, never>;
	system_reset: Record<string, never>;
	system_wakeup: Record<string, never>;
}

/** BlockInfo (qapi/block-core.json). File names are QEMU's words: never to be opened. */
export interface BlockInfo {
	device: string;
	qdev?: string;
	type: string;
	removable: boolean;
	locked: boolean;
	tray_open?: boolean;
	inserted?: { file: string; ro: boolean; drv: string; "node-name"?: string };
}

/** FdsetInfo (qapi/misc.json). `opaque` is what whoever added the descriptor wrote beside it. */
export interface FdsetInfo {
	"fdset-id": number;
	fds: { fd: number; opaque?: string }[];
}

export type TypedCommand = keyof CommandResults;

const shortText = z.string().max(1024);
const fileName = z.string().max(4096);
const count = z.int().min(0);
const nothing: z.ZodType<Record<string, never>> = z.object({}).transform(() => ({}));

const SCHEMAS: { [C in TypedCommand]: z.ZodType<CommandResults[C]> } = {
	"query-status": z.object({ running: z.boolean(), status: shortText }),
	"query-version": z.object({ qemu: z.object({ major: count, minor: count, micro: count }), package: shortText }),
	"query-name": z.object({ name: shortText.optional() }),
	"query-uuid": z.object({ UUID: shortText }),
	"query-commands": z.array(z.object({ name: shortText })).max(4096),
	"query-block": z
		.array(
			z.object({
				device: shortText,
				qdev: shortText.optional(),
				type: shortText,
				removable: z.boolean(),
				locked: z.boolean(),
				tray_open: z.boolean().optional(),
				inserted: z
					.object({ file: fileName, ro: z.boolean(), drv: shortText, "node-name": shortText.optional() })
					.optional(),
			}),
		)
		.max(256),
	"query-chardev": z.array(z.object({ label: shortText, filename: fileName })).max(256),
	"query-fdsets": z
		.array(
			z.object({
				"fdset-id": count,
				fds: z.array(z.object({ fd: z.int(), opaque: shortText.optional() })).max(256),
			}),
		)
		.max(256),
	eject: nothing,
	"remove-fd": nothing,
	"blockdev-change-medium": nothing,
	cont: nothing,
	stop: nothing,
	quit: nothing,
	system_powerdown: nothing,
	system_reset: nothing,
	system_wakeup: nothing,
};

/**
 * Executes a command and checks its answer.
 * @throws ProtocolError when the answer has not the form it should have; what `QmpClient.execute` throws
 */
export async function executeTyped<C extends TypedCommand>(
	client: Pick<QmpClient, "execute">,
	command: C,
	args?: Record<string, unknown>,
	options?: ExecuteOptions,
): Promise<CommandResults[C]> {
	return parseResult(command, await client.execute(command, args, options));
}

/** @throws ProtocolError */
export function parseResult<C extends TypedCommand>(command: C, value: unknown): CommandResults[C] {
	const parsed = SCHEMAS[command].safeParse(value);
	if (parsed.success) return parsed.data;
	throw new ProtocolError(`QEMU's answer to ${command} has an odd form`, { cause: parsed.error, fields: { command } });
}
