import type { ExecuteOptions, QmpClient } from "./qmp-client.ts";
import { checkValue } from "./schema/check-value.ts";
import { type QmpCommands, type QmpEvents, SHAPES } from "./schema/qemu.generated.ts";

export { OOB_COMMANDS } from "./schema/qemu.generated.ts";
export type { QmpCommands, QmpEvents };

export type TypedCommand = keyof QmpCommands;
export type QmpArguments<C extends TypedCommand> = QmpCommands[C]["arguments"];
export type QmpResult<C extends TypedCommand> = QmpCommands[C]["result"];
/** Of query-fdsets. `opaque` is what whoever added the descriptor wrote beside it. */
export type FdsetInfo = QmpResult<"query-fdsets">[number];

/**
 * Executes a command and checks its answer. Texts in it are QEMU's words: never a path to open, never logged raw.
 * @throws ProtocolError when the answer has not the form it should have; what `QmpClient.execute` throws
 */
export async function executeTyped<C extends TypedCommand>(
	client: Pick<QmpClient, "execute">,
	command: C,
	args?: QmpArguments<C>,
	options?: ExecuteOptions,
): Promise<QmpResult<C>> {
	const value = await client.execute(command, args as Record<string, unknown> | undefined, options);
	checkResult(command, value);
	return value as QmpResult<C>;
}

/** Whether the answers to that command can be checked. */
export function isKnownCommand(command: string): command is TypedCommand {
	return Object.hasOwn(SHAPES.results, command);
}

/** The answer to any command: one that is not known passes. @throws ProtocolError */
export function checkResult(command: string, value: unknown): void {
	const type = isKnownCommand(command) ? SHAPES.results[command] : undefined;
	if (type !== undefined) checkValue(SHAPES, type, value, `answer to ${command}`);
}

/** The data of any event: one that is not known passes. @throws ProtocolError */
export function checkEvent(event: string, data: unknown): void {
	const type = Object.hasOwn(SHAPES.events, event) ? SHAPES.events[event] : undefined;
	if (type !== undefined) checkValue(SHAPES, type, data ?? {}, `event ${event}`);
}
