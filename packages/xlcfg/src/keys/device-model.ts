import { defined } from "../defined.ts";
import type { DeviceModelConfig, StubConfig } from "../guest-config.ts";
import { XLCFG_LIMITS } from "../limits.ts";
import { checkSecurityLabel } from "../specs/access-specs.ts";
import { checkArgument, MOST_ARGUMENTS } from "./arguments.ts";
import type { ConfigReader } from "./config-reader.ts";
import { checkName, readCommandLine, readEach, readPath } from "./read-path.ts";

export const STUB_KEYS: readonly string[] = [
	...["stubdomain_kernel", "stubdomain_ramdisk", "stubdomain_memory", "stubdomain_cmdline"],
	"device_model_stubdomain_seclabel",
];
/** Of the QEMU that serves a PV screen. */
export const PV_KEYS: readonly string[] = [
	...["device_model_override", "device_model_user", "device_model_args", "device_model_args_pv"],
];
const DOM0_KEYS = ["device_model_override", "device_model_user", "dm_restrict"];

/** Where an HVM guest's QEMU runs (xl-cfg.md §8): a stub domain unless the config says otherwise. */
export function readPlace(reader: ConfigReader): DeviceModelConfig["place"] {
	const version = reader.word("device_model_version", ["qemu-xen", "qemu-xen-traditional"]);
	const stub = reader.boolean("device_model_stubdomain_override");
	if (reader.has("device_model")) {
		reader.string("device_model");
		reader.warn("device_model", "Key device_model is ignored: another QEMU is device_model_override");
	}
	if (version !== "qemu-xen-traditional") return stub === false ? "dom0" : "stub-domain";
	if (stub !== true)
		reader.refuse("device_model_version", "The device model qemu-xen-traditional runs in a stub domain only", {
			remedy: 'Add device_model_stubdomain_override = 1, or write device_model_version = "qemu-xen"',
		});
	return "minios";
}

export function readDeviceModel(
	reader: ConfigReader,
	place: DeviceModelConfig["place"],
	baseDir: string,
): { deviceModel: DeviceModelConfig; stub?: StubConfig } {
	if (place === "dom0") reader.setAside(STUB_KEYS, "has no effect on a device model in domain 0");
	else reader.setAside(DOM0_KEYS, "has no effect on a device model in a stub domain");
	const user = reader.string("device_model_user");
	const args = (key: string): string[] => readEach(reader, key, checkArgument, { most: MOST_ARGUMENTS });
	const deviceModel = defined<DeviceModelConfig>({
		place,
		binary: readPath(reader, "device_model_override", baseDir),
		user:
			user === undefined ? undefined : reader.attempt("device_model_user", () => checkName("device_model_user", user)),
		restrict: reader.boolean("dm_restrict") ?? false,
		args: args("device_model_args"),
		argsHvm: args("device_model_args_hvm"),
		argsPv: args("device_model_args_pv"),
	});
	const stub = readStub(reader, baseDir);
	return place === "dom0" ? { deviceModel } : { deviceModel, stub };
}

/** PV and PVH: the QEMU that a PV screen needs. Undefined: nothing of it is asked for otherwise than usual. */
export function readPvDeviceModel(reader: ConfigReader, baseDir: string): DeviceModelConfig | undefined {
	reader.setAside(["dm_restrict"], "has no effect on the QEMU of a PV screen, which is always confined");
	const { deviceModel } = readDeviceModel(reader, "dom0", baseDir);
	const { binary, user, args, argsPv } = deviceModel;
	return binary === undefined && user === undefined && args.length + argsPv.length === 0 ? undefined : deviceModel;
}

function readStub(reader: ConfigReader, baseDir: string): StubConfig {
	const memoryMiB = reader.integer("stubdomain_memory", {
		min: XLCFG_LIMITS.leastMemoryMiB,
		max: XLCFG_LIMITS.mostMemoryMiB,
	});
	return defined<StubConfig>({
		kernel: readPath(reader, "stubdomain_kernel", baseDir),
		ramdisk: readPath(reader, "stubdomain_ramdisk", baseDir),
		memoryKiB: memoryMiB === undefined ? undefined : memoryMiB * 1024,
		commandLine: readCommandLine(reader, "stubdomain_cmdline"),
		securityLabel: readLabel(reader, "device_model_stubdomain_seclabel"),
	});
}

export function readLabel(reader: ConfigReader, key: string): string | undefined {
	const text = reader.string(key);
	return text === undefined ? undefined : reader.attempt(key, () => checkSecurityLabel(text));
}
