import type { ToolstackContext } from "../context.ts";
import { permitHardware } from "../domain/permit-hardware.ts";
import { placeDomain } from "../domain/place-domain.ts";
import type { StepActions } from "../executor.ts";
import { domidOf } from "../runtime.ts";
import type { CreateStep } from "../steps.ts";

const QUICK_MS = 20_000;

type PlacementStep = Extract<CreateStep, { name: "place-domain" | "permit-hardware" }>;

/** What a guest has of the host's processors and hardware. All of it goes with the domain. */
export const placementActions: StepActions<PlacementStep, ToolstackContext> = {
	"place-domain": {
		title: () => "Placing the guest's vcpus",
		timeoutMs: QUICK_MS,
		run: ({ role, placement }, { runtime, hypervisor }) =>
			placeDomain(hypervisor.cpus, domidOf(runtime, role), placement),
	},

	"permit-hardware": {
		title: () => "Giving the guest hardware of the host",
		timeoutMs: QUICK_MS,
		run: ({ role, type, hardware }, { runtime, hypervisor }) =>
			permitHardware(hypervisor.domains, domidOf(runtime, role), type, hardware),
	},
};
