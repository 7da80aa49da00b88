import { access } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Cpus, Hypervisor } from "@bulkhead/hypervisor";
import { allowedCpus, cpuMasksFor, type GuestCpus, type InstalledImages } from "@bulkhead/toolstack";
import type { DaemonOptions } from "../options.ts";

/** Where Debian and a plain `make install` of Xen keep hvmloader, for version "4.17". */
const firmwarePlaces = (version: string): string[] => [
	`/usr/lib/xen-${version}/boot/hvmloader`,
	"/usr/libexec/xen/boot/hvmloader",
	"/usr/lib/xen/boot/hvmloader",
];

/**
 * What a guest's config may leave out, as this host has it. Existence of files is checked when a guest needs them.
 * @throws InvalidInputError for processors that the host does not have
 */
export async function findInstalledImages(
	options: DaemonOptions,
	{ domains, cpus }: Pick<Hypervisor, "domains" | "cpus">,
): Promise<InstalledImages> {
	const firmware = options.firmware || (await findFirmware(domains));
	await checkGuestCpus(options.guestCpus, cpus);
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
		guestCpus: options.guestCpus,
		network: { bridge: options.bridge, scriptDirectory: options.scriptDirectory },
	};
}

async function checkGuestCpus(guestCpus: GuestCpus, cpus: Cpus): Promise<void> {
	if (Object.keys(guestCpus).length === 0) return;
	const places = await cpus.topology();
	for (const type of ["hvm", "pv"] as const) allowedCpus(undefined, cpuMasksFor(type, guestCpus), places);
}

async function findFirmware(domains: Hypervisor["domains"]): Promise<string> {
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
