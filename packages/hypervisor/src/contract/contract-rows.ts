import { builderContract } from "./builder-contract.ts";
import type { ContractRow, OpenContractHost } from "./contract-host.ts";
import { cpusContract } from "./cpus-contract.ts";
import { devicesContract } from "./devices-contract.ts";
import { domainsContract } from "./domains-contract.ts";
import { evtchnsContract } from "./evtchns-contract.ts";
import { foreignMemoryContract } from "./foreign-memory-contract.ts";
import { grantsContract } from "./grants-contract.ts";
import { linksContract } from "./links-contract.ts";
import { listenersContract } from "./listeners-contract.ts";
import { loopsContract } from "./loops-contract.ts";
import { offersContract } from "./offers-contract.ts";
import { pciContract } from "./pci-contract.ts";
import { pvhContract } from "./pvh-contract.ts";
import { resourcesContract } from "./resources-contract.ts";
import { settingsContract } from "./settings-contract.ts";

/** Every promise of the ports. */
export function contractRows(open: OpenContractHost): ContractRow[] {
	return [
		domainsContract,
		settingsContract,
		cpusContract,
		builderContract,
		pvhContract,
		evtchnsContract,
		grantsContract,
		offersContract,
		foreignMemoryContract,
		devicesContract,
		loopsContract,
		linksContract,
		pciContract,
		listenersContract,
		resourcesContract,
	].flatMap((contract) => contract(open));
}
