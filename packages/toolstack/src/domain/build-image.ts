import type { BuildCommon, BuiltImage, GuestBuilder, LoadedTable } from "@bulkhead/hypervisor";
import type { XenstoreView } from "@bulkhead/xenstore";
import type { ImageRequest } from "../steps.ts";
import { domainPath } from "./paths.ts";
import { pvhAcpiTables } from "./pvh-acpi.ts";

/** Loads a domain's image; hvmloader is told where it finds tables. */
export async function buildImage(
	host: { builder: GuestBuilder; xenstore: XenstoreView },
	common: BuildCommon,
	request: ImageRequest,
): Promise<BuiltImage> {
	const { builder, xenstore } = host;
	if (request.type === "pv") return builder.buildPv({ ...common, ...request });
	if (request.type === "pvh") {
		const acpi = request.acpi ? pvhAcpiTables(common.maxVcpus) : [];
		return builder.buildPvh({ ...common, ...request, acpi });
	}
	const { acpiTable, smbiosTable, ...frames } = await builder.buildHvm({ ...common, ...request });
	// libxl__build_hvm: hvmloader/acpi and hvmloader/smbios.
	const publish = async (kind: string, table: LoadedTable | undefined): Promise<void> => {
		if (!table) return;
		const node = `${domainPath(common.domid)}/hvmloader/${kind}`;
		await Promise.all([
			xenstore.write(`${node}/address`, `0x${table.address.toString(16)}`),
			xenstore.write(`${node}/length`, `0x${table.length.toString(16)}`),
		]);
	};
	await Promise.all([publish("acpi", acpiTable), publish("smbios", smbiosTable)]);
	return frames;
}
