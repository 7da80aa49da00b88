import { defined } from "../defined.ts";
import type { GuestConfig } from "../guest-config.ts";
import { XLCFG_LIMITS } from "../limits.ts";
import { checkVnumaNode } from "../specs/vnuma-spec.ts";
import type { ListNode } from "../text/tree.ts";
import type { ConfigReader } from "./config-reader.ts";

type Memory = Pick<
	GuestConfig,
	"memoryKiB" | "maxMemoryKiB" | "shadowMemoryKiB" | "mmioHoleMiB" | "rdmMemoryBoundaryMiB" | "vnuma"
>;

/** How much memory, and where it lies (xl-cfg.md §4). Undefined when it is not known how much. */
export function readMemory(reader: ConfigReader): Memory | undefined {
	const range = { min: XLCFG_LIMITS.leastMemoryMiB, max: XLCFG_LIMITS.mostMemoryMiB };
	const memory = reader.integer("memory", range);
	const most = reader.integer("maxmem", range);
	const shadowMiB = reader.integer("shadow_memory", { min: 0, max: 1_048_576 });
	const rest = {
		// 0 asks for Xen's own figure.
		shadowMemoryKiB: shadowMiB === undefined || shadowMiB === 0 ? undefined : shadowMiB * 1024,
		mmioHoleMiB: reader.integer("mmio_hole", { min: 256, max: 3840 }),
		rdmMemoryBoundaryMiB: reader.integer("rdm_mem_boundary", { min: 1, max: 4_194_304 }),
		vnuma: readVnuma(reader),
	};
	if (memory !== undefined && most !== undefined && most < memory)
		reader.refuse("maxmem", "Key maxmem is less than memory", { remedy: "Raise maxmem, or remove it" });
	const start = memory ?? most;
	if (start !== undefined)
		return defined<Memory>({ memoryKiB: start * 1024, maxMemoryKiB: (most ?? start) * 1024, ...rest });
	if (!reader.has("memory") && !reader.has("maxmem"))
		reader.refuse("memory", "The guest has no memory", { remedy: "Add memory = MiB" });
	return undefined;
}

function readVnuma(reader: ConfigReader): string[][] {
	const nodes = reader.list("vnuma")?.items ?? [];
	if (nodes.length > XLCFG_LIMITS.devices)
		reader.refuse("vnuma", `The list vnuma has more than ${XLCFG_LIMITS.devices} entries`);
	return nodes.slice(0, XLCFG_LIMITS.devices).flatMap((node) => {
		const items = node.kind === "list" ? stringsOf(node) : undefined;
		if (!items) {
			reader.refuse(
				"vnuma",
				"The list vnuma takes lists of strings",
				{ remedy: 'Write [ "pnode=0", "size=1024" ]' },
				node,
			);
			return [];
		}
		const checked = reader.attempt("vnuma", () => checkVnumaNode(items), node);
		return checked ? [checked] : [];
	});
}

/** The strings of a list of strings only. */
export function stringsOf({ items }: ListNode): string[] | undefined {
	const strings = items.flatMap((item) => (item.kind === "string" ? [item.value] : []));
	return strings.length === items.length ? strings : undefined;
}
