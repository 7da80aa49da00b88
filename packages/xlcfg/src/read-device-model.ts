import type { ConfigReader } from "./config-reader.ts";
import type { EndAction, GuestConfig, StubConfig } from "./guest-config.ts";
import { XLCFG_LIMITS } from "./limits.ts";
import { readCommandLine } from "./read-boot.ts";
import { readPath } from "./read-path.ts";

const END_ACTIONS = ["destroy", "restart", "preserve"] as const;
const LATER_END_ACTIONS = ["rename-restart", "coredump-destroy", "coredump-restart", "soft-reset"];

/** An HVM guest's device model: always QEMU in a stub domain. */
export function readDeviceModel(
	reader: ConfigReader,
	type: GuestConfig["type"],
	baseDir: string,
): Pick<GuestConfig, "stub" | "deviceModel"> {
	reader.word("device_model_version", ["qemu-xen"], ["qemu-xen-traditional"]);
	const wantsStub = reader.boolean("device_model_stubdomain_override") ?? true;
	if (type === "hvm" && !wantsStub)
		reader.refuse("device_model_stubdomain_override", "A device model in domain 0 is not supported yet", {
			remedy: "Remove the line: the guest gets a stub domain",
		});
	const stub = readStub(reader, baseDir);
	const args = readArgs(reader, "device_model_args");
	const argsHvm = readArgs(reader, "device_model_args_hvm");
	if (type !== "hvm") return {};
	return { stub, deviceModel: { place: "stub-domain", restrict: false, args, argsHvm, argsPv: [] } };
}

function readStub(reader: ConfigReader, baseDir: string): StubConfig {
	const kernel = readPath(reader, "stubdomain_kernel", baseDir);
	const ramdisk = readPath(reader, "stubdomain_ramdisk", baseDir);
	const memoryMiB = reader.integer("stubdomain_memory", {
		min: XLCFG_LIMITS.leastMemoryMiB,
		max: XLCFG_LIMITS.mostMemoryMiB,
	});
	const commandLine = readCommandLine(reader, "stubdomain_cmdline");
	return {
		...(kernel === undefined ? {} : { kernel }),
		...(ramdisk === undefined ? {} : { ramdisk }),
		...(memoryMiB === undefined ? {} : { memoryKiB: memoryMiB * 1024 }),
		...(commandLine === undefined ? {} : { commandLine }),
	};
}

function readArgs(reader: ConfigReader, key: string): string[] {
	const args = reader.strings(key) ?? [];
	if (args.length > XLCFG_LIMITS.deviceModelArgs)
		reader.refuse(key, `Key ${key} has more than ${XLCFG_LIMITS.deviceModelArgs} arguments`);
	for (const arg of args) {
		if (arg.text === "" || /\p{Cc}/u.test(arg.text))
			reader.refuse(key, "An argument is empty or has a control character", {}, arg);
		if (Buffer.byteLength(arg.text) > XLCFG_LIMITS.deviceModelArgBytes)
			reader.refuse(key, `An argument is longer than ${XLCFG_LIMITS.deviceModelArgBytes} bytes`, {}, arg);
	}
	return args.map(({ text }) => text);
}

export function readLifecycle(reader: ConfigReader): Omit<GuestConfig["lifecycle"], "softReset"> {
	const action = (key: string, otherwise: EndAction): EndAction =>
		reader.word(key, END_ACTIONS, LATER_END_ACTIONS) ?? otherwise;
	return {
		poweroff: action("on_poweroff", "destroy"),
		reboot: action("on_reboot", "restart"),
		watchdog: action("on_watchdog", "destroy"),
		crash: action("on_crash", "destroy"),
		deviceModelFailure: reader.word("on_device_model_failure", ["destroy", "preserve", "pause"]) ?? "destroy",
	};
}
