import { InvalidInputError, printable } from "@bulkhead/base";
import { defined } from "../defined.ts";
import type { GuestType, NicConfig } from "../guest-config.ts";
import { XLCFG_LIMITS } from "../limits.ts";
import { parseMac } from "./mac.ts";
import {
	checkValue,
	parseBackend,
	parseCount,
	parseWord,
	refuseUnknownParameter,
	splitParameters,
} from "./parameters.ts";
import { formatRate, parseRate } from "./rate.ts";

const PARAMETERS = [
	...["mac", "bridge", "gatewaydev", "ip", "script", "backend", "vifname", "devid", "mtu", "type", "model", "rate"],
	...["vlan", "trusted", "untrusted"],
] as const;
const EMULATED_SUFFIX = "-emu";
const WHAT = "The network interface";

export interface NicContext {
	guestType: GuestType;
	/** Place in the list. */
	index: number;
	makeMac: () => string;
}

export interface ParsedNic {
	nic: NicConfig;
	warnings: string[];
}

/**
 * Reads one entry of `vif = [ … ]` (xl-cfg.md §6); "" is an interface with nothing but defaults.
 * @throws InvalidInputError
 */
export function parseNicSpec(text: string, { guestType, index, makeMac }: NicContext): ParsedNic {
	const { given, trusted, warnings } = collect(text);
	const get = (name: string): string | undefined => given.get(name);
	const type = parseWord(WHAT, "type", get("type"), ["ioemu", "vif"]) ?? (guestType === "hvm" ? "ioemu" : "vif");
	if (type === "ioemu" && guestType !== "hvm")
		throw new InvalidInputError(`A ${guestType.toUpperCase()} guest has no emulated network card`, {
			remedy: "Leave type= out, or write type=vif",
		});
	const mac = get("mac");
	const rate = get("rate");
	const nic = defined<NicConfig>({
		devid: parseCount(WHAT, "devid", get("devid"), { min: 0, max: 255 }) ?? index,
		mac: mac === undefined ? makeMac() : parseMac(mac),
		type,
		model: checkModel(get("model") ?? "rtl8139"),
		bridge: checkBridge(get("bridge")),
		script: get("script"),
		ip: checkIp(get("ip")),
		gatewayDevice: checkInterfaceName("gatewaydev", get("gatewaydev"), XLCFG_LIMITS.interfaceNameLength),
		interfaceName: checkInterfaceName(
			"vifname",
			get("vifname"),
			XLCFG_LIMITS.interfaceNameLength - (type === "ioemu" ? EMULATED_SUFFIX.length : 0),
		),
		mtu: parseCount(WHAT, "mtu", get("mtu"), { min: 68, max: 65_535 }),
		backend: parseBackend(WHAT, get("backend")),
		rate: rate === undefined ? undefined : parseRate(rate),
		vlan: checkVlan(get("vlan")),
		trusted,
	});
	return { nic, warnings };
}

function collect(text: string): { given: Map<string, string>; trusted: boolean | undefined; warnings: string[] } {
	const given = new Map<string, string>();
	const warnings: string[] = [];
	let trusted: boolean | undefined;
	for (const { name, value } of splitParameters(text)) {
		if (value === undefined && (name === "trusted" || name === "untrusted")) {
			if (trusted !== undefined && trusted !== (name === "trusted"))
				throw new InvalidInputError(`${WHAT} is both trusted and untrusted`);
			trusted = name === "trusted";
		} else if (name === "accel") warnings.push("Parameter accel has no effect: Xen dropped it");
		else {
			const known = name === "netdev" ? "gatewaydev" : name;
			if (name === "netdev") warnings.push("Parameter netdev is deprecated: write gatewaydev");
			if (!PARAMETERS.some((candidate) => candidate === known)) refuseUnknownParameter(WHAT, name, PARAMETERS);
			if (value === undefined || value === "")
				throw new InvalidInputError(`${WHAT}: ${name} has no value`, { remedy: `Write ${name}=VALUE` });
			if (given.has(known)) throw new InvalidInputError(`${WHAT}: ${known} is given twice`);
			given.set(known, checkValue(WHAT, name, value));
		}
	}
	return { given, trusted, warnings };
}

/** QEMU's name of a device: a comma or an equals sign would begin an option of its own. */
function checkModel(model: string): string {
	if (/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(model)) return model;
	throw new InvalidInputError(`"${printable(model, 32)}" is no name of a network card`, {
		remedy: "Use e1000, rtl8139 or another of QEMU's names",
	});
}

/** A bridge, or an Open vSwitch bridge with tag and trunks: "ovs0.10:20". */
function checkBridge(bridge: string | undefined): string | undefined {
	if (bridge === undefined || /^[A-Za-z0-9_.:-]{1,128}$/.test(bridge)) return bridge;
	throw new InvalidInputError(`"${printable(bridge, 32)}" is no name of a bridge`);
}

function checkInterfaceName(what: string, name: string | undefined, most: number): string | undefined {
	if (name === undefined || (new RegExp(`^[A-Za-z0-9_.:-]{1,${most}}$`).test(name) && !/^\.+$/.test(name))) return name;
	throw new InvalidInputError(`"${printable(name, 32)}" is no name of a network interface (${what})`, {
		remedy: `Use at most ${most} letters, digits, dots, dashes and underscores`,
	});
}

/** Addresses, perhaps with the length of a prefix, separated by spaces. */
function checkIp(ip: string | undefined): string | undefined {
	if (ip === undefined || /^[0-9A-Fa-f.:/ ]+$/.test(ip)) return ip;
	throw new InvalidInputError(`"${printable(ip, 64)}" is no list of IP addresses`, {
		remedy: "Separate addresses by spaces",
	});
}

function checkVlan(vlan: string | undefined): string | undefined {
	if (vlan === undefined || /^[0-9a-z.:/-]{1,128}$/.test(vlan)) return vlan;
	throw new InvalidInputError(`"${printable(vlan, 32)}" is no VLAN`, { remedy: "Write a number from 1 to 4094" });
}

/** A vif specification that parses to the same interface. */
export function formatNic(nic: NicConfig): string {
	const { devid, mac, type, model, trusted, rate } = nic;
	const named: [string, string | number | undefined][] = [
		...([
			["mac", mac],
			["type", type],
			["model", model],
			["devid", devid],
		] satisfies [string, string | number][]),
		["bridge", nic.bridge],
		["script", nic.script],
		["ip", nic.ip],
		["gatewaydev", nic.gatewayDevice],
		["vifname", nic.interfaceName],
		["mtu", nic.mtu],
		["backend", nic.backend],
		["rate", rate === undefined ? undefined : formatRate(rate)],
		["vlan", nic.vlan],
	];
	const parts = named.flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]));
	if (trusted !== undefined) parts.push(trusted ? "trusted" : "untrusted");
	return parts.join(", ");
}
