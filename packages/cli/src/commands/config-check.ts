import { printable } from "@bulkhead/base";
import type { CommandContext } from "../command-context.ts";
import { EXIT_CODES } from "../exit-codes.ts";
import { type ConfigDocument, type ConfigProblem, loadConfig, problemLine } from "./config-document.ts";

const LONGEST = 2000;

/** Tells everything that is wrong with config files, and what is worth saying. Asks no daemon. */
export async function configCheck(context: CommandContext, files: string[]): Promise<number> {
	const documents: ConfigDocument[] = [];
	for (const file of files) documents.push(await loadConfig(context.io, file));
	if (context.json)
		context.printJson({
			files: documents.map(({ file, form, problems, warnings }) => ({
				file,
				form,
				ok: problems.length === 0,
				problems,
				warnings,
			})),
		});
	else for (const document of documents) printDocument(context, document);
	return documents.some(({ problems }) => problems.length > 0) ? EXIT_CODES.badInput.code : EXIT_CODES.ok.code;
}

function printDocument(context: CommandContext, { file, problems, warnings }: ConfigDocument): void {
	for (const problem of problems) printProblem(context, "error", problem);
	for (const warning of warnings) printProblem(context, "warning", warning);
	if (problems.length === 0) context.print(`${printable(file, LONGEST)}: ok`);
}

function printProblem(context: CommandContext, severity: "error" | "warning", problem: ConfigProblem): void {
	context.print(printable(`${problemLine({ ...problem, message: `${severity}: ${problem.message}` })}`, LONGEST));
	if (problem.remedy !== undefined) context.print(`  remedy: ${printable(problem.remedy, LONGEST)}`);
}
