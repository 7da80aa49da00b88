import { domId } from "@bulkhead/base";
import type { GuestConfig } from "@bulkhead/xlcfg";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ArgsPlace } from "../src/device-model/args/args-place.ts";
import { dmargs, miniosQemuArgs } from "../src/device-model/minios-args.ts";
import { qemuArgs } from "../src/device-model/qemu-args.ts";
import { cdrom, disk, hvmConfig } from "./fixtures.ts";

const guest = domId(7);
const PLACES: ArgsPlace[] = [
	{ kind: "stub-domain", guest },
	{ kind: "dom0", guest, qmpSocket: "/run/q", statisticsSocket: "/run/s" },
];

/** What people put into names and paths, by mistake or on purpose. */
const nasty = fc.oneof(
	fc.string({ unit: "binary", maxLength: 40 }),
	fc
		.array(
			fc.constantFrom(
				",",
				",,",
				"=",
				"-",
				"'",
				'"',
				"\\",
				"\n",
				"\0",
				" ",
				"a",
				"if=none",
				"file=/etc/shadow",
				"$X",
				"%s",
				":",
			),
			{
				maxLength: 8,
			},
		)
		.map((parts) => parts.join("")),
);

/** One text of the config at a time, put where its owner may put it. */
const FIELDS: Record<string, (text: string) => Partial<GuestConfig>> = {
	name: (name) => ({ name }),
	kernel: (kernel) => ({ kernel: `/${kernel}` }),
	ramdisk: (ramdisk) => ({ kernel: "/k", ramdisk: `/${ramdisk}` }),
	"command line": (commandLine) => ({ kernel: "/k", commandLine: `x${commandLine}` }),
	"disk's path": (path) => ({ disks: [disk({ path: `/${path}` }), cdrom({ path: `/${path}` })], hdType: "ide" }),
	"SCSI disk's path": (path) => ({ disks: [disk({ path: `/${path}`, vdev: "sda", bus: "scsi" })] }),
	"serial port": (serial) => ({ serials: [`x${serial}`] }),
	"USB device": (device) => ({ usb: { devices: [`x${device}`] } }),
	"sound card": (soundHardware) => ({ soundHardware: `x${soundHardware}` }),
	keymap: (keymap) => ({ keymap }),
	"VNC address": (listen) => ({ vnc: { listen: `x${listen}`, display: 0, findUnused: false } }),
	"SPICE host": (host) => ({ spice: spice({ host }) }),
	"SPICE password": (password) => ({ spice: spice({ disableTicketing: false, password: `x${password}` }) }),
	"SPICE compression": (imageCompression) => ({ spice: spice({ imageCompression }) }),
	"nic's model": (model) => ({ nics: [{ devid: 0, mac: "00:16:3e:00:00:01", type: "ioemu", model }] }),
	"nic's address": (mac) => ({ nics: [{ devid: 0, mac, type: "ioemu", model: "e1000" }] }),
	bridge: (bridge) => ({ nics: [{ devid: 0, mac: "00:16:3e:00:00:01", type: "ioemu", model: "e1000", bridge }] }),
};

function spice(values: Partial<NonNullable<GuestConfig["spice"]>>): NonNullable<GuestConfig["spice"]> {
	const flags = { disableTicketing: true, agentMouse: true, vdagent: false, clipboardSharing: true, usbRedirection: 0 };
	return { port: 5900, ...flags, ...values };
}

/** Options that QEMU takes whole, not as keys and values. */
const WHOLE: ReadonlySet<string> = new Set(["-kernel", "-initrd", "-append", "-serial", "-usbdevice"]);

/** How QEMU cuts an option: at commas that are not doubled; what has "=" is a key's. */
function keysOf(option: string): string[] {
	const parts = option.replaceAll(",,", "\u{e000}").split(",");
	return parts.map((part) => (part.includes("=") ? (part.split("=")[0] ?? "") : ""));
}

/** A list's shape: which options, and the keys of each. A text may change values only. */
function shapeOf(args: readonly string[]): string[][] {
	return args.map((argument, at) => {
		const option = args[at - 1] ?? "";
		if (WHOLE.has(option)) return ["whole"];
		return argument.startsWith("-") && !argument.includes("=") ? [argument] : keysOf(argument);
	});
}

describe("no text of a config adds an argument or an option of QEMU", () => {
	for (const [what, place] of Object.entries(FIELDS))
		it(`as ${what}`, () => {
			fc.assert(
				fc.property(nasty, fc.constantFrom(...PLACES), (text, where) => {
					const plain = shapeOf(qemuArgs(harmless(what, place), where));
					const args = attempt(() => qemuArgs(hvmConfig(place(text)), where));
					if (args === undefined) return; // Refused: nothing is started.
					for (const argument of args) expect(argument).not.toMatch(/[\0\n\r]/);
					expect(normalise(shapeOf(args))).toEqual(normalise(plain));
				}),
				{ numRuns: 100 },
			);
		});

	it("nor divides one of MiniOS' arguments in two", () => {
		fc.assert(
			fc.property(nasty, fc.constantFrom("name", "serial port", "USB device", "sound card", "keymap"), (text, what) => {
				const config = hvmConfig(FIELDS[what]?.(text));
				const args = attempt(() => miniosQemuArgs(config, guest));
				const line = args && attempt(() => dmargs(args));
				if (args === undefined || line === undefined) return;
				const dropped = args.filter((argument) => ["-sdl", "-M", "xenfv"].includes(argument)).length;
				expect(line.split(" ").slice(1)).toHaveLength(args.length - dropped);
			}),
		);
	});
});

/** The name alone is given by its key when it has a "=". */
const normalise = (shape: string[][]): string[][] => shape.map((keys) => (keys[0] === "guest" ? [""] : keys));

function harmless(what: string, place: (text: string) => Partial<GuestConfig>): GuestConfig {
	const text = { "nic's address": "00:16:3e:00:00:02", keymap: "de", "sound card": "" }[what] ?? "a";
	const config = hvmConfig(place(text));
	return what === "sound card" ? { ...config, soundHardware: "sb16" } : config;
}

function attempt<T>(make: () => T): T | undefined {
	try {
		return make();
	} catch (error) {
		expect(error).toMatchObject({ code: expect.any(String) });
		return undefined;
	}
}
