import { Lab } from "../lab.ts";

/** Runs a program in dom0 with our own streams. @returns its exit status */
export async function execInDom0(argv: readonly string[]): Promise<number> {
	const lab = await Lab.attach();
	const { child, signal } = lab.connection.spawn(argv, "inherit");
	const forwarded = { SIGINT: "INT", SIGTERM: "TERM", SIGHUP: "HUP" } as const;
	for (const [ours, theirs] of Object.entries(forwarded)) process.on(ours, () => void signal(theirs));
	return new Promise((resolve, reject) => {
		child.once("error", reject).once("close", (status) => {
			for (const ours of Object.keys(forwarded)) process.removeAllListeners(ours);
			resolve(status ?? 255);
		});
	});
}
