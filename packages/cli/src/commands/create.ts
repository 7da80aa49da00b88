import type { PlannedStep } from "@bulkhead/api/client";
import { printable } from "@bulkhead/base";
import type { CommandContext } from "../command-context.ts";
import { asciiJson } from "../output/ascii-json.ts";
import { runOperation } from "../run-operation.ts";
import { readConfig } from "./read-config.ts";

export interface CreateFlags {
	paused?: boolean;
	console?: boolean;
	dryRun?: boolean;
}

export async function create(
	context: CommandContext,
	file: string,
	overrides: string[],
	{ paused = false, console: attach = false, dryRun = false }: CreateFlags,
): Promise<number | undefined> {
	const { client, io } = context;
	const configText = await readConfig(file, io);
	const request = {
		configText,
		file: file === "-" ? "standard input" : file,
		baseDir: io.workingDirectory,
		overrides,
		paused,
		dryRun,
	};
	const { result, warnings } = await runOperation(context, (options) => client.create(request, options));
	const { guest, plan } = result;
	if (context.json) context.printJson({ ...(guest ? { guest } : {}), ...(plan ? { plan } : {}), warnings });
	else if (guest) {
		const stub = guest.stub?.domid === undefined ? "" : `, stub domain ${guest.stub.domid}`;
		context.print(`${printable(guest.name)} created: domain ${guest.domid ?? "-"}${stub}`);
	} else for (const step of plan ?? []) context.print(planLine(step));
	if (!attach || !guest) return undefined;
	const { console } = await import("./console.ts");
	return console(context, guest.uuid, { from: "start" });
}

function planLine({ name, ...details }: PlannedStep): string {
	const facts = Object.entries(details).map(
		([key, value]) => `${key}=${typeof value === "string" ? value : asciiJson(value)}`,
	);
	return printable([name, ...facts].join(" "), 400);
}
