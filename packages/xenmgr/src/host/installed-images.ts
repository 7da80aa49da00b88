import { access } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Domains } from "@bulkhead/hypervisor";
import type { InstalledImages } from "@bulkhead/toolstack";
import type { DaemonOptions } from "../options.ts";

/** Where Debian and a plain `make install` of Xen keep hvmloader, for version "4.17". */
const firmwarePlaces = (version: string): string[] => [
	`/usr/lib/xen-${version}/boot/hvmloader`,
	"/usr/libexec/xen/boot/hvmloader",
	"/usr/lib/xen/boot/hvmloader",
];

/** What a guest's config may leave out, as this host has it. Existence is checked when a guest needs it. */
export async function findInstalledImages(options: DaemonOptions, domains: Domains): Promise<InstalledImages> {
	const firmware = options.firmware || (await findFirmware(domains));
	return {
		firmware,
		bios: options.bios,
		ovmf: options.ovmf,
		qemu: options.qemu,
		pvGrub: { pv: options.pvGrub, pvh: options.pvhGrub },
		// libxl's name for it, beside hvmloader.
		miniosKernel: join(dirname(firmware), "ioemu-stubdom.gz"),
		stubKernel: options.stubKernel,
		stubRamdisk: options.stubRamdisk,
		stubCommandLine: options.stubCommandLine,
		stubMemoryKiB: options.stubMemoryMiB * 1024,
		network: { bridge: options.bridge, scriptDirectory: options.scriptDirectory },
	};
}

async function findFirmware(domains: Domains): Promise<string> {
	const { xenVersion } = await domains.hostInfo();
	const places = firmwarePlaces(/^\d+\.\d+/.exec(xenVersion)?.[0] ?? "");
	for (const place of places) {
		if (
			await access(place).then(
				() => true,
				() => false,
			)
		)
			return place;
	}
	return places[0] as string;
}
