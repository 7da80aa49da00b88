import type { Lab } from "../../../src/lab.ts";
import { ok } from "../support/dom0.ts";

/** What xl made of one file. */
export interface XlReading {
	exitCode: number;
	/** What it printed: the config as libxl has it when it took the file. */
	stdout: string;
	stderr: string;
}

/**
 * In a mount namespace without the lab's own defaults. Base64 has no character that the shell knows, and no line of its own
 * when it is not wrapped.
 */
const SCRIPT = `[ ! -e /etc/xen/xl.conf ] || mount --bind /dev/null /etc/xen/xl.conf
cd "$(mktemp -d)"
while read -r line; do
	echo "$line" | base64 -d > it.cfg
	xl -N create it.cfg > out 2> err < /dev/null
	echo "$? $(base64 -w0 out) $(base64 -w0 err)"
done`;

/** Has xl in dom0 read every text without acting on it: one command for all, since a connection takes longer than xl. */
export async function readAllByXl(lab: Lab, texts: readonly string[]): Promise<XlReading[]> {
	const stdin = `${texts.map((text) => Buffer.from(text).toString("base64")).join("\n")}\n`;
	const lines = (await ok(lab, ["unshare", "-m", "sh", "-c", SCRIPT], { stdin, timeoutMs: 240_000 }))
		.trimEnd()
		.split("\n");
	return lines.map((line) => {
		const [exitCode, stdout = "", stderr = ""] = line.split(" ");
		return { exitCode: Number(exitCode), stdout: decode(stdout), stderr: decode(stderr) };
	});
}

const decode = (text: string): string => Buffer.from(text, "base64").toString("utf8");
