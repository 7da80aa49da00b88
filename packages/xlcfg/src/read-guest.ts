import { type Uuid, uuid } from "@bulkhead/base";
import { ABSENT } from "./absent.ts";
import type { ConfigReader } from "./config-reader.ts";
import { GUEST_CONFIG_VERSION, type GuestConfig } from "./guest-config.ts";
import { guestNameProblem } from "./guest-name.ts";
import { XLCFG_LIMITS } from "./limits.ts";
import { readBoot } from "./read-boot.ts";
import { readDeviceModel, readLifecycle } from "./read-device-model.ts";
import { readDevices } from "./read-devices.ts";

export interface ReadContext {
	baseDir: string;
	makeUuid: () => Uuid;
}

const HVM_ONLY_KEYS = [
	...["bios", "bios_path_override", "firmware_override", "boot", "serial", "vga", "videoram", "stdvga", "nographic"],
	...["hdtype", "hap", "device_model_version", "device_model_stubdomain_override", "device_model_args"],
	...["device_model_args_hvm", "stubdomain_kernel", "stubdomain_ramdisk", "stubdomain_memory", "stubdomain_cmdline"],
	"on_device_model_failure",
];

/**
 * Reads every key that a guest may have. Problems go to the reader, and then there may be no config; every key is
 * read for every type of guest, so that what stays unread is unknown.
 */
export function readGuest(reader: ConfigReader, { baseDir, makeUuid }: ReadContext): GuestConfig | undefined {
	const type = readType(reader);
	const name = readName(reader);
	const id = reader.has("uuid") ? readUuid(reader) : makeUuid();
	const memoryMiB = readMemory(reader);
	const vcpus = readVcpus(reader, type);
	const boot = readBoot(reader, type, baseDir);
	const devices = readDevices(reader, type, baseDir);
	const { stub, deviceModel } = readDeviceModel(reader, type, baseDir);
	const lifecycle = readLifecycle(reader);
	const platform = readPlatform(reader);
	if (type === "pv")
		for (const key of HVM_ONLY_KEYS) if (reader.has(key)) reader.warn(key, `Key ${key} has no effect on a PV guest`);
	reader.refuseUnreadKeys();
	if (memoryMiB !== undefined && memoryMiB * 1024 <= devices.videoMemoryKiB)
		reader.refuse("memory", `The video memory leaves nothing of ${memoryMiB} MiB`, { remedy: "Raise memory" });
	if (name === undefined || id === undefined || memoryMiB === undefined) return undefined;
	return {
		...ABSENT,
		version: GUEST_CONFIG_VERSION,
		uuid: id,
		name,
		type,
		memoryKiB: memoryMiB * 1024,
		maxMemoryKiB: memoryMiB * 1024,
		vcpus,
		maxVcpus: vcpus,
		...boot,
		...devices,
		...platform,
		lifecycle: { softReset: "soft-reset", ...lifecycle },
		...(stub && { stub }),
		...(deviceModel && { deviceModel }),
	};
}

function readType(reader: ConfigReader): GuestConfig["type"] {
	const type = reader.word("type", ["hvm", "pv"], ["pvh"]);
	const builder = reader.word("builder", ["hvm", "generic"]);
	if (builder === undefined) return type ?? "pv";
	const meant = builder === "hvm" ? "hvm" : "pv";
	if (type !== undefined && type !== meant)
		reader.refuse("builder", `Keys builder and type contradict each other`, { remedy: "Remove builder" });
	else reader.warn("builder", `Key builder is deprecated: write type = "${meant}"`);
	return type ?? meant;
}

function readName(reader: ConfigReader): string | undefined {
	const name = reader.string("name");
	if (name === undefined) {
		if (!reader.has("name")) reader.refuse("name", "The guest has no name", { remedy: 'Add name = "…"' });
		return undefined;
	}
	const problem = guestNameProblem(name);
	if (problem === undefined) return name;
	reader.refuse("name", problem, {
		remedy: `Use 1 to ${XLCFG_LIMITS.nameLength} letters, digits, dots, dashes and underscores`,
	});
	return undefined;
}

function readUuid(reader: ConfigReader): Uuid | undefined {
	const text = reader.string("uuid");
	return text === undefined ? undefined : reader.attempt("uuid", () => uuid(text));
}

function readMemory(reader: ConfigReader): number | undefined {
	const range = { min: XLCFG_LIMITS.leastMemoryMiB, max: XLCFG_LIMITS.mostMemoryMiB };
	const memory = reader.integer("memory", range);
	const most = reader.integer("maxmem", range);
	if (memory === undefined && most === undefined) {
		if (!reader.has("memory") && !reader.has("maxmem"))
			reader.refuse("memory", "The guest has no memory", { remedy: "Add memory = MiB" });
		return undefined;
	}
	if (memory !== undefined && most !== undefined && memory !== most)
		reader.refuse("maxmem", "A maxmem other than memory is not supported yet", { remedy: "Remove maxmem" });
	return memory ?? most;
}

function readVcpus(reader: ConfigReader, type: GuestConfig["type"]): number {
	const range = { min: 1, max: type === "hvm" ? XLCFG_LIMITS.mostHvmVcpus : XLCFG_LIMITS.mostPvVcpus };
	const vcpus = reader.integer("vcpus", range);
	const most = reader.integer("maxvcpus", range);
	if (most !== undefined && most !== (vcpus ?? 1))
		reader.refuse("maxvcpus", "A maxvcpus other than vcpus is not supported yet", { remedy: "Remove maxvcpus" });
	return vcpus ?? 1;
}

function readPlatform(reader: ConfigReader): Pick<GuestConfig, "acpi"> {
	for (const key of ["apic", "pae", "hap"]) {
		if (reader.boolean(key) === false)
			reader.refuse(key, `A guest without ${key} is not supported yet`, { remedy: `Remove ${key}` });
	}
	return { acpi: reader.boolean("acpi") ?? true };
}
