import { InvalidInputError, uuid } from "@bulkhead/base";
import type { KeyedDeviceConfig } from "../guest-config.ts";
import { parseBackend, parseCount, parseFlag, parseKeyed, parseWord } from "./parameters.ts";

export type KeyedKind = "vkb" | "usbctrl" | "usbdev" | "p9" | "vtpm" | "pvcalls" | "vdispl" | "virtio";

type Check = (what: string, name: string, value: string) => unknown;

interface Kind {
	what: string;
	required: readonly string[];
	parameters: Readonly<Record<string, Check>>;
}

const text: Check = () => undefined;
const flag: Check = parseFlag;
const number =
	(max: number): Check =>
	(what, name, value) =>
		parseCount(what, name, value, { min: 0, max });
const word =
	(...words: string[]): Check =>
	(what, name, value) =>
		parseWord(what, name, value, words);
const backend: Check = (what, _, value) => parseBackend(what, value);
const pattern =
	(regexp: RegExp, example: string): Check =>
	(what, name, value) => {
		if (!regexp.test(value)) throw new InvalidInputError(`${what}: ${name} is written like ${example}`);
	};

/** Parameters of xl.cfg(5) by kind of device. */
const KINDS: Readonly<Record<KeyedKind, Kind>> = {
	vkb: {
		what: "The keyboard",
		required: ["backend-type"],
		parameters: {
			backend,
			"backend-type": word("qemu", "linux"),
			"unique-id": text,
			"feature-disable-keyboard": flag,
			"feature-disable-pointer": flag,
			"feature-abs-pointer": flag,
			"feature-raw-pointer": flag,
			"feature-multi-touch": flag,
			"multi-touch-width": number(65_535),
			"multi-touch-height": number(65_535),
			"multi-touch-num-contacts": number(255),
			width: number(65_535),
			height: number(65_535),
		},
	},
	usbctrl: {
		what: "The USB controller",
		required: [],
		parameters: {
			type: word("auto", "pv", "qusb", "vusb", "devicemodel"),
			version: word("1", "2", "3"),
			ports: (what, name, value) => parseCount(what, name, value, { min: 1, max: 31 }),
			backend,
			devid: number(255),
		},
	},
	usbdev: {
		what: "The USB device",
		required: [],
		parameters: {
			type: word("hostdev", "tablet", "mouse", "keyboard"),
			hostbus: (what, name, value) => parseCount(what, name, value, { min: 1, max: 255 }),
			hostaddr: (what, name, value) => parseCount(what, name, value, { min: 1, max: 127 }),
			controller: number(255),
			port: number(31),
		},
	},
	p9: {
		what: "The 9pfs share",
		required: ["tag", "path"],
		parameters: {
			backend,
			tag: pattern(/^[\x21-\x7e]{1,31}$/, "tag=share"),
			path: pattern(/^\//, "path=/srv/share"),
			security_model: word("none", "passthrough", "mapped", "mapped-xattr", "mapped-file"),
			type: word("qemu", "xen_9pfsd"),
			"max-space": text,
			"max-files": number(2 ** 31 - 1),
			"max-open-files": number(2 ** 31 - 1),
			"auto-delete": flag,
		},
	},
	vtpm: {
		what: "The TPM",
		required: ["backend"],
		parameters: { backend, uuid: checkUuid },
	},
	pvcalls: { what: "The PV calls device", required: [], parameters: { backend } },
	vdispl: {
		what: "The display",
		required: ["connectors"],
		parameters: {
			backend,
			"be-alloc": flag,
			connectors: pattern(
				/^[^:;,\s]{1,64}:[1-9][0-9]{0,4}x[1-9][0-9]{0,4}(?:;[^:;,\s]{1,64}:[1-9][0-9]{0,4}x[1-9][0-9]{0,4}){0,15}$/,
				"connectors=id0:1920x1080;id1:800x600",
			),
		},
	},
	virtio: {
		what: "The virtio device",
		required: ["type"],
		parameters: { backend, type: text, transport: word("mmio", "pci"), grant_usage: flag, bdf: text },
	},
};

/** One entry of a list of such devices. @throws InvalidInputError */
export function parseKeyedDevice(kind: KeyedKind, spec: string): KeyedDeviceConfig {
	const { what, required, parameters } = KINDS[kind];
	const device = parseKeyed(what, spec, Object.keys(parameters));
	for (const [name, value = ""] of Object.entries(device)) parameters[name]?.(what, name, value);
	for (const name of [...required, ...(kind === "usbdev" ? placeOnHost(device) : [])]) {
		if (device[name] === undefined)
			throw new InvalidInputError(`${what} lacks its ${name}`, { remedy: `Add ${name}=…` });
	}
	return device as KeyedDeviceConfig;
}

/** A USB device of the host has a place there; those that QEMU emulates are an addition of ours to xl.cfg. */
const placeOnHost = ({ type = "hostdev" }: Partial<Record<string, string>>): string[] =>
	type === "hostdev" ? ["hostbus", "hostaddr"] : [];

export function formatKeyedDevice(device: KeyedDeviceConfig): string {
	return Object.entries(device)
		.map(([name, value]) => `${name}=${value}`)
		.join(",");
}

function checkUuid(what: string, name: string, value: string): void {
	try {
		uuid(value);
	} catch (cause) {
		throw new InvalidInputError(`${what}: ${name} is not a uuid`, { cause });
	}
}
