import { join } from "node:path";
import { type CpioEntry, type DebianPackages, runProgram } from "@bulkhead/image";
import type { KernelModule } from "@bulkhead/stubdom";
import { channelEntries } from "./channel-files.ts";

const LIST_TIMEOUT_MS = 10_000;

export interface BusyboxSystem {
	/** Text of /etc/inittab for BusyBox' init. */
	inittab: string;
	/** The script that inittab names, `/etc/start`. */
	start: string;
	/** Where init and the start script print, e.g. `/dev/ttyS0`. */
	console: string;
	/** What the shell prints when it waits. */
	prompt: string;
	/** Loaded by the script from /etc/modules, in this order. */
	modules: readonly KernelModule[];
	/** There for who wants to load them: in /etc/spare-modules, in this order. */
	spareModules?: readonly KernelModule[];
	/** In /lib/modules and in no list. */
	furtherModules?: readonly KernelModule[];
}

/** A small system out of Debian's busybox-static: every applet under its name, an init, a shell, some modules. */
export async function busyboxEntries(debian: DebianPackages, system: BusyboxSystem): Promise<CpioEntry[]> {
	const busybox = join(await debian.unpack(["busybox-static"]), "usr/bin/busybox");
	const applets = await runProgram([busybox, "--list"], { timeoutMs: LIST_TIMEOUT_MS });
	const names = applets.stdout
		.toString("latin1")
		.split("\n")
		.filter((name) => name !== "" && name !== "busybox");
	const { modules, spareModules = [], furtherModules = [] } = system;
	const listOf = (some: readonly KernelModule[]): string =>
		some.map(({ name }) => `/lib/modules/${name}.ko\n`).join("");
	return [
		{ type: "file", path: "bin/busybox", mode: 0o755, content: { file: busybox } },
		...names.map((name): CpioEntry => ({ type: "symlink", path: `bin/${name}`, target: "busybox" })),
		{ type: "symlink", path: "sbin", target: "bin" },
		// The kernel mounts no devtmpfs over an initramfs, so init is a script for one line.
		{
			type: "file",
			path: "init",
			mode: 0o755,
			content: `#!/bin/sh\nmount -t devtmpfs devtmpfs /dev\nexec /bin/init < ${system.console} > ${system.console} 2>&1\n`,
		},
		{ type: "file", path: "etc/inittab", content: system.inittab },
		{ type: "file", path: "etc/start", mode: 0o755, content: system.start },
		{ type: "file", path: "etc/profile", content: `export PATH=/bin PS1='${system.prompt}'\n` },
		{ type: "file", path: "etc/modules", content: listOf(modules) },
		...(spareModules.length > 0
			? [{ type: "file", path: "etc/spare-modules", content: listOf(spareModules) } as const]
			: []),
		...[...modules, ...spareModules, ...furtherModules].map(
			({ name, content }): CpioEntry => ({ type: "file", path: `lib/modules/${name}.ko`, content }),
		),
		...channelEntries(),
		{ type: "character-device", path: "dev/console", mode: 0o600, major: 5, minor: 1 },
		...["media", "proc", "sys", "tmp"].map((path): CpioEntry => ({ type: "directory", path })),
	];
}
