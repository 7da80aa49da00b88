import { access, readFile } from "node:fs/promises";
import type { DoctorCheck } from "@bulkhead/api/client";
import { BulkheadError, printable, serializeError } from "@bulkhead/base";
import type { CommandContext } from "../command-context.ts";
import { EXIT_CODES } from "../exit-codes.ts";

/** The daemon's own examination; when it cannot be reached, what can be seen from here and why that may be. */
export async function doctor(context: CommandContext): Promise<number> {
	const { checks, exitCode } = await examine(context);
	if (context.json) context.printJson({ checks });
	else for (const check of checks) for (const line of checkLines(check)) context.print(line);
	return exitCode;
}

async function examine({ client }: CommandContext): Promise<{ checks: DoctorCheck[]; exitCode: number }> {
	try {
		const checks = await client.doctor();
		const healthy = checks.every(({ ok }) => ok);
		return { checks, exitCode: healthy ? EXIT_CODES.ok.code : EXIT_CODES.failed.code };
	} catch (error) {
		if (!(error instanceof BulkheadError) || error.code !== "daemon-unreachable") throw error;
		const { message, remedy } = serializeError(error);
		const daemon = { name: "bulkheadd", ok: false, detail: message, remedy };
		return { checks: [...(await examineFromHere()), daemon], exitCode: EXIT_CODES.unreachable.code };
	}
}

function examineFromHere(): Promise<DoctorCheck[]> {
	return Promise.all([
		check("root", "Run this as root", async () => {
			if (process.getuid?.() !== 0) throw new Error(`user ${process.getuid?.()}`);
			return "yes";
		}),
		check("Xen", "Boot this machine under Xen", async () => {
			const type = (await readFile("/sys/hypervisor/type", "utf8")).trim();
			if (type !== "xen") throw new Error(`the hypervisor is ${type}`);
			return "this machine runs under Xen";
		}),
		check("privcmd", "Load the module xen-privcmd; this must be domain 0", async () => {
			await access("/dev/xen/privcmd");
			return "/dev/xen/privcmd";
		}),
	]);
}

async function check(name: string, remedy: string, probe: () => Promise<string>): Promise<DoctorCheck> {
	try {
		return { name, ok: true, detail: await probe() };
	} catch (error) {
		return { name, ok: false, detail: serializeError(error).message, remedy };
	}
}

function checkLines({ name, ok, detail, remedy }: DoctorCheck): string[] {
	const line = `${ok ? "ok   " : "FAIL "} ${printable(name)}: ${printable(detail)}`;
	return ok || remedy === undefined ? [line] : [line, `       remedy: ${printable(remedy)}`];
}
