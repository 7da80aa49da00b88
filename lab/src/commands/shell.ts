import { Lab } from "../lab.ts";

/** @returns the shell's exit status */
export async function openShell(): Promise<number> {
	const lab = await Lab.attach();
	const child = lab.connection.shell();
	return new Promise((resolve, reject) => {
		child.once("error", reject).once("close", (status) => resolve(status ?? 255));
	});
}
