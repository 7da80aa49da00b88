import { isAbsolute, resolve } from "node:path";
import { InvalidInputError, printable } from "@bulkhead/base";
import { defined } from "../defined.ts";
import type { DiskConfig, DiskFormat } from "../guest-config.ts";
import { XLCFG_LIMITS } from "../limits.ts";
import type { DiskSpec } from "./disk-spec.ts";
import { checkValue, parseBackend } from "./parameters.ts";
import { parseVdev } from "./vdev.ts";

const WHAT = "The disk";
/** Flags by pairs: on, off. */
const FLAG_PAIRS = [
	["discard", "no-discard"],
	["trusted", "untrusted"],
] as const;

/** The disk that a specification stands for. @throws InvalidInputError */
export function diskConfigOf(spec: DiskSpec, baseDir: string): DiskConfig {
	const cdrom = spec.devtype === "cdrom";
	if (!spec.vdev)
		throw new InvalidInputError("The disk lacks its vdev", {
			remedy: "Add vdev=hda, or another name of a virtual disk",
		});
	const script = spec.script ? checkScript(spec.script) : undefined;
	const path = spec.target ? checkTarget(spec.target, script, baseDir) : undefined;
	if (path === undefined && !cdrom)
		throw new InvalidInputError("The disk lacks its target", {
			remedy: "Add target=PATH at the end; only a CD drive may be empty",
		});
	if (spec.format === "empty" && (path !== undefined || !cdrom))
		throw new InvalidInputError("Format empty is for a CD drive without a target");
	return defined<DiskConfig>({
		vdev: spec.vdev,
		...parseVdev(spec.vdev),
		path,
		readOnly: cdrom || spec.access === "r" || spec.access === "ro",
		cdrom,
		format: path === undefined || !spec.format ? "raw" : (spec.format as DiskFormat),
		backend: parseBackend(WHAT, spec.backend),
		backendType: checkBackendType(spec, script),
		specification: spec.specification === "virtio" ? "virtio" : undefined,
		script,
		...readFlags(spec.flags),
	});
}

function checkBackendType({ backendtype, format }: DiskSpec, script: string | undefined): DiskConfig["backendType"] {
	const raw = !format || format === "raw" || format === "empty";
	if (backendtype === "phy" && !raw)
		throw new InvalidInputError(`Backend type phy serves raw disks only, and the format is ${format}`, {
			remedy: "Leave backendtype= out, or write backendtype=qdisk",
		});
	if (script !== undefined && backendtype !== undefined && backendtype !== "phy")
		throw new InvalidInputError(`A script makes a block device, and backend type ${backendtype} takes none`, {
			remedy: "Leave backendtype= out, or write backendtype=phy",
		});
	return backendtype as DiskConfig["backendType"];
}

type Flags = Pick<DiskConfig, "directIoSafe" | "discard" | "trusted" | "grantUsage">;

function readFlags(flags: readonly string[]): Flags {
	const given = new Set(flags);
	for (const [on, off] of FLAG_PAIRS)
		if (given.has(on) && given.has(off)) throw new InvalidInputError(`${WHAT} has both ${on} and ${off}`);
	const colo = flags.find((flag) => flag !== "no-colo" && /^(?:colo|active-disk=|hidden-disk=)/.test(flag));
	if (colo !== undefined)
		throw new InvalidInputError(`Disk parameter ${printable(colo, 64)} is for COLO, which Bulkhead does not do`, {
			remedy: "Remove it: COLO mirrors a guest's disks between two hosts while it runs",
		});
	const grant = flags.find((flag) => flag.startsWith("grant_usage="))?.slice("grant_usage=".length);
	if (grant !== undefined && grant !== "0" && grant !== "1")
		throw new InvalidInputError("Disk parameter grant_usage takes 0 or 1");
	const either = (on: string, off: string): boolean | undefined =>
		given.has(on) ? true : given.has(off) ? false : undefined;
	return {
		directIoSafe: given.has("direct-io-safe") ? true : undefined,
		discard: either("discard", "no-discard"),
		trusted: either("trusted", "untrusted"),
		grantUsage: grant === undefined ? undefined : grant === "1",
	};
}

function checkTarget(target: string, script: string | undefined, baseDir: string): string {
	return script === undefined ? checkPath(target, baseDir) : checkValue(WHAT, "target", target, XLCFG_LIMITS.pathBytes);
}

/** A hot-plug script: an absolute path, or a name in Xen's folder of scripts. @throws InvalidInputError */
export function checkScript(script: string): string {
	const named = /^[A-Za-z0-9_.+-]{1,64}$/.test(script) && !/^\.+$/.test(script);
	if (!named && !script.startsWith("/"))
		throw new InvalidInputError(`Script "${printable(script, 64)}" is neither a name nor an absolute path`);
	return named ? script : checkPath(script, "/");
}

/** An absolute path of a length and alphabet that every part of the toolstack can carry. @throws InvalidInputError */
export function checkPath(path: string, baseDir: string): string {
	if (path === "") throw new InvalidInputError("The path is empty");
	if (/\p{Cc}/u.test(path))
		throw new InvalidInputError("The path has a control character", { remedy: "Rename the file" });
	const absolute = isAbsolute(path) ? path : resolve(baseDir, path);
	if (Buffer.byteLength(absolute) > XLCFG_LIMITS.pathBytes)
		throw new InvalidInputError(`The path is longer than ${XLCFG_LIMITS.pathBytes} bytes`);
	return absolute;
}

/** A disk specification that parses to the same disk. `target=` takes the rest of the string: a path may hold commas. */
export function formatDisk(disk: DiskConfig): string {
	const { vdev, readOnly, cdrom, format, path, discard, trusted } = disk;
	const parameters = [`format=${path === undefined ? "empty" : format}`, `vdev=${vdev}`];
	parameters.push(`access=${readOnly ? "ro" : "rw"}`);
	if (cdrom) parameters.push("devtype=cdrom");
	if (disk.backend !== undefined) parameters.push(`backend=${disk.backend}`);
	if (disk.backendType !== undefined) parameters.push(`backendtype=${disk.backendType}`);
	if (disk.specification !== undefined) parameters.push(`specification=${disk.specification}`);
	if (disk.script !== undefined) parameters.push(`script=${disk.script}`);
	if (disk.directIoSafe === true) parameters.push("direct-io-safe");
	if (discard !== undefined) parameters.push(discard ? "discard" : "no-discard");
	if (trusted !== undefined) parameters.push(trusted ? "trusted" : "untrusted");
	if (disk.grantUsage !== undefined) parameters.push(`grant_usage=${Number(disk.grantUsage)}`);
	if (path !== undefined) parameters.push(`target=${path}`);
	return parameters.join(", ");
}
