import { InvalidInputError, printable } from "@bulkhead/base";

/** A disk as the config words it: every parameter of xl-disk-configuration(5) that was given, checked one by one. */
export interface DiskSpec {
	target?: string;
	format?: string;
	vdev?: string;
	access?: string;
	devtype?: string;
	backend?: string;
	backendtype?: string;
	specification?: string;
	script?: string;
	/** `discard`, `trusted`, `direct-io-safe`, `colo`, `grant_usage=1` …, in order. */
	flags: string[];
	/** "phy:", "qcow2:" …, an older way to say what other parameters say. */
	prefix?: string;
}

type Parameter = Exclude<keyof DiskSpec, "flags" | "prefix">;

const WORDS: Partial<Record<Parameter, readonly string[]>> = {
	format: ["", "raw", "qcow", "qcow2", "vhd", "qed", "empty"],
	access: ["", "r", "ro", "rw", "w"],
	devtype: ["cdrom", "disk"],
	backendtype: ["phy", "qdisk", "tap", "standalone"],
	specification: ["xen", "virtio"],
};
const PARAMETERS: ReadonlySet<string> = new Set([
	...["target", "format", "vdev", "access", "devtype"],
	...["backend", "backendtype", "specification", "script"],
]);
const FLAGS: ReadonlySet<string> = new Set([
	...["direct-io-safe", "discard", "no-discard", "trusted", "untrusted", "colo", "no-colo"],
]);
const FLAG_WITH_VALUE = /^(?:grant_usage|colo-host|colo-port|colo-export|active-disk|hidden-disk)=/;
const POSITIONS: readonly Parameter[] = ["target", "format", "vdev", "access"];
const FORMAT_PREFIXES: ReadonlySet<string> = new Set(["raw", "qcow", "qcow2", "vhd"]);
const SCRIPT_PREFIXES: ReadonlySet<string> = new Set(["iscsi", "nbd", "enbd", "drbd"]);
const DROPPED_PREFIXES: ReadonlySet<string> = new Set(["tapdisk", "tap", "tap2", "aio", "ioemu", "file", "phy"]);

/**
 * Reads one entry of `disk = [ … ]` (xl-cfg.md §5): named and positional parameters, old prefixes included.
 * @throws InvalidInputError
 */
export function parseDiskSpec(text: string): DiskSpec {
	return new SpecReader().read(text);
}

class SpecReader {
	readonly #spec: DiskSpec = { flags: [] };
	#position = 0;

	read(text: string): DiskSpec {
		let rest = text.trimStart();
		while (rest !== "") {
			if (rest.startsWith("target=")) {
				this.#set("target", rest.slice("target=".length));
				break;
			}
			const comma = rest.indexOf(",");
			this.#parameter((comma === -1 ? rest : rest.slice(0, comma)).trimEnd());
			rest = comma === -1 ? "" : rest.slice(comma + 1).trimStart();
		}
		return this.#spec;
	}

	#parameter(text: string): void {
		const equals = text.indexOf("=");
		const name = equals === -1 ? "" : text.slice(0, equals);
		if (FLAGS.has(text) || FLAG_WITH_VALUE.test(text)) this.#spec.flags.push(text);
		else if (text === "cdrom") this.#set("devtype", "cdrom");
		else if (PARAMETERS.has(name)) this.#named(name as Parameter, text.slice(equals + 1));
		else if (equals !== -1)
			throw new InvalidInputError(`Disk parameter "${printable(name, 32)}" is not known`, {
				remedy: "Put a path that has an equals sign last, as target=PATH",
			});
		else this.#positional(text);
	}

	#named(parameter: Parameter, value: string): void {
		if (parameter === "vdev") this.#vdev(value);
		else this.#set(parameter, value);
	}

	#positional(text: string): void {
		const parameter = POSITIONS[this.#position++];
		if (parameter === undefined)
			throw new InvalidInputError(`A disk has at most ${POSITIONS.length} parameters without a name`, {
				remedy: "They are target, format, vdev, access; name the others",
			});
		if (parameter === "target") this.#target(text);
		else if (parameter === "vdev") this.#vdev(text);
		else if (parameter === "format" && /:(?:cdrom|disk)$/.test(text) && this.#spec.target === undefined) {
			// ",hdc:cdrom,r": an empty drive, with no place for a format.
			this.#position++;
			this.#vdev(text);
		} else this.#set(parameter, text);
	}

	#target(text: string): void {
		const prefix = /^([a-z][a-z0-9]*):/.exec(text)?.[1];
		const known =
			prefix !== undefined &&
			(FORMAT_PREFIXES.has(prefix) || SCRIPT_PREFIXES.has(prefix) || DROPPED_PREFIXES.has(prefix));
		const path = prefix === undefined ? text : text.slice(prefix.length + 1);
		if (prefix === undefined || !(known || path.startsWith("/"))) {
			if (text !== "") this.#set("target", text);
			return;
		}
		if (!known)
			throw new InvalidInputError(`Disk prefix "${printable(prefix, 32)}:" is not known`, {
				remedy: "Give the path alone; the format is a parameter of its own",
			});
		if (!path.startsWith("/"))
			throw new InvalidInputError(`The old prefix "${prefix}:" takes an absolute path`, {
				remedy: "Give the path alone, without a prefix",
			});
		this.#spec.prefix = prefix;
		if (FORMAT_PREFIXES.has(prefix)) this.#set("format", prefix);
		if (SCRIPT_PREFIXES.has(prefix)) this.#set("script", `block-${prefix}`);
		this.#position++;
		this.#set("target", path);
	}

	#vdev(text: string): void {
		const [, name = text, type] = /^([^:]*):(cdrom|disk)$/.exec(text) ?? [];
		this.#set("vdev", name);
		if (type !== undefined) this.#set("devtype", type);
	}

	#set(parameter: Parameter, value: string): void {
		const words = WORDS[parameter];
		const shown = `"${printable(value, 64)}"`;
		if (words && !words.includes(value))
			throw new InvalidInputError(`Disk parameter ${parameter} does not take ${shown}`, {
				remedy: `Use ${words.filter((word) => word !== "").join(", ")}`,
			});
		const earlier = this.#spec[parameter];
		if (earlier !== undefined && earlier !== "" && (words === undefined || earlier !== value))
			throw new InvalidInputError(`Disk parameter ${parameter} is given twice`);
		this.#spec[parameter] = value;
	}
}
