import type { ExecuteOptions, ToolstackContext } from "@bulkhead/toolstack";

type AfterStep = NonNullable<ExecuteOptions<ToolstackContext>["afterStep"]>;

/**
 * What a test asked for in the header `x-bulkhead-fault`: "fail:N" makes the N-th finished step (from 0) fail with its
 * effects in place, "kill:N" ends this daemon as SIGKILL would.
 */
export function faultFrom(header: string | undefined): AfterStep | undefined {
	const [, kind, number] = /^(fail|kill):(\d+)$/.exec(header ?? "") ?? [];
	if (kind === undefined) return undefined;
	return (index, { name }) => {
		if (index !== Number(number)) return;
		if (kind === "kill") process.kill(process.pid, "SIGKILL");
		throw new Error(`Injected fault after step ${index} (${name})`);
	};
}
