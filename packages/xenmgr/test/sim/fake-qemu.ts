import { chmod, mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

/** A program that is given QEMU's arguments and serves the QMP socket that they name: as much of QEMU as a daemon meets. */
const PROGRAM = `#!${process.execPath}
const { createServer } = require("net");
const path = process.argv.join(" ").match(/id=libxl-cmd,path=([^,]*),/)[1];
const answers = {
	"query-status": { status: "running", running: true },
	"query-chardev": [{ label: "serial0", filename: "pty:/dev/pts/0", "frontend-open": true }],
};
const greeting = { QMP: { version: { qemu: { major: 7, minor: 2, micro: 19 }, package: "" }, capabilities: [] } };
const send = (peer, value) => peer.write(JSON.stringify(value) + "\\r\\n");
createServer((peer) => {
	send(peer, greeting);
	peer.on("error", () => {});
	peer.on("data", (chunk) => {
		for (const line of chunk.toString().split("\\n").filter((each) => each.trim() !== "")) {
			const { id, execute } = JSON.parse(line);
			send(peer, { return: answers[execute] ?? {}, id });
		}
	});
}).listen(path, () => console.log("listening"));
process.on("SIGTERM", () => process.exit(0));
`;

export async function installFakeQemu(path: string): Promise<void> {
	await mkdir(dirname(path), { recursive: true });
	await writeFile(path, PROGRAM);
	await chmod(path, 0o755);
}
