import { randomBytes } from "node:crypto";
import { InvalidInputError } from "@bulkhead/base";
import type { NicConfig } from "@bulkhead/xlcfg";

/** One nic of a guest that runs. @throws InvalidInputError */
export function readNicSpec(spec: string, devid: number): NicConfig {
	const values = new Map(spec.split(",").filter(Boolean).map((part) => part.trim().split("=", 2) as [string, string]));
	const [a = 0, b = 0, c = 0] = randomBytes(3);
	const hex = (byte: number): string => byte.toString(16).padStart(2, "0");
	const nic: NicConfig = {
		devid,
		mac: values.get("mac")?.toLowerCase() ?? `00:16:3e:${hex(a & 0x7f)}:${hex(b)}:${hex(c)}`,
		type: values.get("type") === "ioemu" ? "ioemu" : "vif",
		model: values.get("model") ?? "rtl8139",
	};
	if (values.has("bridge")) nic.bridge = values.get("bridge");
	if (values.has("script")) nic.script = values.get("script");
	for (const key of values.keys())
		if (!["mac", "type", "model", "bridge", "script"].includes(key)) throw new InvalidInputError(`Unknown ${key}`);
	return nic;
}
