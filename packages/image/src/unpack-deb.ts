import { spawn } from "node:child_process";
import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { BulkheadError } from "@bulkhead/base";

const MERGED_USR = ["bin", "sbin", "lib", "lib64"] as const;
const LEFT_OUT = ["doc", "man", "locale", "lintian", "info", "bash-completion"] as const;

/**
 * Unpacks a Debian package into a folder with merged /usr, without running its scripts. Files that carry no behaviour
 * (documentation, translations) are left out.
 */
export async function unpackDeb(debPath: string, dir: string): Promise<void> {
	for (const name of MERGED_USR) {
		await mkdir(join(dir, "usr", name), { recursive: true });
		await symlink(`usr/${name}`, join(dir, name)).catch((error: NodeJS.ErrnoException) => {
			if (error.code !== "EEXIST") throw error;
		});
	}
	// Not `dpkg-deb -x`: its tar would replace our links by the package's own /lib folder.
	const reader = spawn("dpkg-deb", ["--fsys-tarfile", debPath], { stdio: ["ignore", "pipe", "pipe"] });
	const excludes = LEFT_OUT.map((name) => `--exclude=./usr/share/${name}`);
	const writer = spawn(
		"tar",
		[
			"-x",
			"-f",
			"-",
			"-C",
			dir,
			"--keep-directory-symlink",
			"--no-same-owner",
			"-p",
			"--warning=no-timestamp",
			...excludes,
		],
		{ stdio: [reader.stdout, "ignore", "pipe"] },
	);
	// The pipe now belongs to tar: our copy would keep it from ever seeing a closed reader.
	reader.stdout.destroy();
	let stderr = "";
	for (const stream of [reader.stderr, writer.stderr]) {
		stream?.on("data", (chunk: Buffer) => {
			stderr = (stderr + chunk.toString("utf8")).slice(-4096);
		});
	}
	const ended = (child: typeof reader | typeof writer): Promise<number | null> =>
		new Promise((resolve, reject) => child.once("error", reject).once("close", resolve));
	const [readStatus, writeStatus] = await Promise.all([ended(reader), ended(writer)]);
	if (readStatus !== 0 || writeStatus !== 0) {
		throw new BulkheadError("unpack-failed", `Could not unpack ${debPath}: ${stderr.trim()}`, {
			remedy: "Delete the file and try again",
			fields: { debPath },
		});
	}
}
