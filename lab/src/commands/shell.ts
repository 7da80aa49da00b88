import { Lab } from "../lab.ts";

/** A program, by default a shell, in dom0 on this terminal. @returns its exit status */
export async function openTerminal(argv?: readonly string[]): Promise<number> {
	const lab = await Lab.attach();
	const child = lab.connection.terminal(argv);
	return new Promise((resolve, reject) => {
		child.once("error", reject).once("close", (status) => resolve(status ?? 255));
	});
}
