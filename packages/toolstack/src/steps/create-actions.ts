import { randomBytes } from "node:crypto";
import type { ToolstackContext } from "../context.ts";
import { awaitDeviceModel, awaitQmpVchan, type DeviceModelPlace } from "../device-model/await-running.ts";
import { dmargs, miniosQemuArgs } from "../device-model/minios-args.ts";
import { type StubArguments, writePair } from "../device-model/pair.ts";
import { stubQemuArgs } from "../device-model/qemu-args.ts";
import { acceptConsole, connectConsole } from "../devices/console.ts";
import { buildImage } from "../domain/build-image.ts";
import { createDomain } from "../domain/create-domain.ts";
import { prepareDomain } from "../domain/prepare.ts";
import { removeNodes } from "../domain/remove-nodes.ts";
import { writeBuiltDomain, writeSkeleton } from "../domain/skeleton.ts";
import type { StepActions } from "../executor.ts";
import { attachPci } from "../pci/attach-pci.ts";
import { domidOf, provided, runtimeOf } from "../runtime.ts";
import { connectScreen } from "../screen/connect-screen.ts";
import { closeScreenListener, holdScreenListener } from "../screen/screen-listener.ts";
import type { CreateStep, Role } from "../steps.ts";
import { plugUsb } from "../usb/plug-usb.ts";
import { channelActions } from "./channel-actions.ts";
import { counted, deviceActions } from "./device-actions.ts";
import { localQemuActions } from "./local-qemu-actions.ts";
import { placementActions } from "./placement-actions.ts";

const QUICK_MS = 20_000;
const BUILD_MS = 120_000;
const QMP_MS = 20_000;
/** What the stub's kernel wants to be seeded with: 256 bits. */
const SEED_BYTES = 32;

const nameOf = (role: Role): string => (role === "guest" ? "the guest" : "the stub domain");

function placeOf({ runtime, config }: ToolstackContext): DeviceModelPlace {
	return { guest: { domid: domidOf(runtime, "guest"), uuid: config.uuid }, stub: domidOf(runtime, "stub") };
}

const releaseRings = ({ rings, config }: ToolstackContext): Promise<void> =>
	rings.release(config.uuid, { purge: true });

/** How each step of a create plan is done and undone. */
export const createActions: StepActions<CreateStep, ToolstackContext> = {
	"create-domain": {
		title: ({ role }) => `Creating ${nameOf(role)}`,
		timeoutMs: QUICK_MS,
		async run({ role, uuid, settings }, context) {
			const domain = runtimeOf(context.runtime, role);
			domain.domid = await createDomain(context, uuid, settings);
			await context.saveRuntime();
		},
		async undo({ role }, { runtime, hypervisor }) {
			const { domid } = runtimeOf(runtime, role);
			if (domid !== undefined) await hypervisor.domains.destroy(domid);
		},
	},

	"write-skeleton": {
		title: ({ role }) => `Writing the xenstore nodes of ${nameOf(role)}`,
		timeoutMs: QUICK_MS,
		async run({ role, domainName, type, dmVersion, driverDomain }, { runtime, xenstore }) {
			const { uuid } = runtimeOf(runtime, role);
			const domid = domidOf(runtime, role);
			await xenstore.transaction((tx) =>
				writeSkeleton(tx, { domid, uuid, name: domainName, type, role, dmVersion, driverDomain }),
			);
		},
		async undo({ role }, { runtime, xenstore }) {
			const { uuid, domid } = runtimeOf(runtime, role);
			await removeNodes(xenstore, uuid, domid);
		},
	},

	"prepare-domain": {
		title: ({ role }) => `Preparing ${nameOf(role)}`,
		timeoutMs: QUICK_MS,
		async run({ role, settings }, { runtime, hypervisor }) {
			const ports = await prepareDomain(hypervisor.domains, domidOf(runtime, role), settings);
			Object.assign(runtimeOf(runtime, role), ports);
		},
	},

	"build-image": {
		title: ({ role }) => `Building ${nameOf(role)}`,
		timeoutMs: BUILD_MS,
		async run({ role, maxVcpus, image }, { runtime, hypervisor: { builder }, xenstore }) {
			const domain = runtimeOf(runtime, role);
			const common = {
				domid: domidOf(runtime, role),
				maxVcpus,
				storePort: provided(domain.storePort, "store port"),
				consolePort: provided(domain.consolePort, "console port"),
			};
			const built = await buildImage({ builder, xenstore }, common, image);
			Object.assign(domain, built);
		},
	},

	introduce: {
		title: ({ role }) => `Introducing ${nameOf(role)} to xenstored`,
		timeoutMs: QUICK_MS,
		async run({ role, ...built }, { config, runtime, xenstore, saveRuntime }) {
			const domain = runtimeOf(runtime, role);
			const domid = domidOf(runtime, role);
			const storePort = provided(domain.storePort, "store port");
			const storeFrame = provided(domain.storeFrame, "store frame");
			await xenstore.transaction((tx) =>
				writeBuiltDomain(tx, { ...built, config, domid, uuid: domain.uuid, storePort, storeFrame }),
			);
			await xenstore.introduce(domid, storeFrame, storePort);
			await saveRuntime();
		},
	},

	...placementActions,
	...channelActions,

	...deviceActions,

	"pair-domains": {
		title: () => "Making the stub domain the guest's device model",
		timeoutMs: QUICK_MS,
		async run({ protocol, bios }, context) {
			const { guest, stub } = placeOf(context);
			const args: StubArguments =
				protocol === "linux"
					? { protocol, dmArgv: stubQemuArgs(context.config, guest.domid) }
					: { protocol, dmargs: dmargs(miniosQemuArgs(context.config, guest.domid)) };
			const randomSeed = randomBytes(SEED_BYTES).toString("hex");
			await context.xenstore.transaction((tx) => writePair(tx, { guest, stub, args, bios, randomSeed }));
			await Promise.all([
				context.hypervisor.domains.setTarget(stub, guest.domid),
				context.xenstore.setTarget(stub, guest.domid),
			]);
		},
	},

	"start-stub": {
		title: () => "Starting the stub domain",
		timeoutMs: QUICK_MS,
		run: (_, { runtime, hypervisor }) => hypervisor.domains.unpause(domidOf(runtime, "stub")),
	},

	"accept-consoles": {
		title: ({ consoles }) => `Waiting for ${counted(consoles.length, "console")} of the stub domain`,
		timeoutMs: BUILD_MS,
		async run({ consoles }, { runtime, xenstore }, signal) {
			await Promise.all(
				consoles.map((console) =>
					acceptConsole({ store: xenstore, domain: runtimeOf(runtime, console.role), console, signal }),
				),
			);
		},
	},

	"connect-consoles": {
		title: ({ consoles }) => `Serving ${consoles.map(({ label }) => label).join(", ")}`,
		timeoutMs: QUICK_MS,
		async run({ consoles }, { runtime, config, xenstore, rings }) {
			const guest = config.uuid;
			await Promise.all(
				consoles.map((console) =>
					connectConsole({ store: xenstore, rings, guest, domain: runtimeOf(runtime, console.role), console }),
				),
			);
		},
		undo: (_, context) => releaseRings(context),
	},

	"await-device-model": {
		title: () => "Waiting for QEMU in the stub domain",
		timeoutMs: BUILD_MS,
		run: ({ timeoutMs }, context, signal) => awaitDeviceModel(context, placeOf(context), { timeoutMs, signal }),
	},

	"connect-qmp": {
		title: () => "Talking to QEMU over vchan",
		timeoutMs: 2 * QMP_MS,
		async run(_, context, signal) {
			const place = placeOf(context);
			const ring = await awaitQmpVchan(context, place, signal);
			await context.rings.attachQmp({ guest: context.config.uuid, domid: place.stub, ...ring, timeoutMs: QMP_MS });
		},
		undo: (_, context) => releaseRings(context),
	},

	"open-screen-listener": {
		title: () => "Listening for viewers of the screen",
		timeoutMs: QUICK_MS,
		run: (_, context) => holdScreenListener(context),
		undo: async (_, context) => closeScreenListener(context),
	},

	"connect-screen": {
		title: () => "Serving the screen",
		timeoutMs: QUICK_MS,
		run: (_, context) => connectScreen(context, placeOf(context)),
		undo: (_, context) => releaseRings(context),
	},

	"attach-pci": {
		title: ({ device }) => `Giving the guest PCI device ${device.name ?? device.address}`,
		timeoutMs: BUILD_MS,
		run: ({ device }, context) => attachPci(context, device, { starting: true }),
	},

	"plug-usb": {
		title: ({ topology }) => `Plugging in ${counted(topology.controllers.length, "USB controller")}`,
		timeoutMs: BUILD_MS,
		run: ({ topology }, context) => plugUsb(context, topology),
	},

	...localQemuActions,

	"start-guest": {
		title: () => "Starting the guest",
		timeoutMs: QUICK_MS,
		run: (_, { runtime, hypervisor }) => hypervisor.domains.unpause(domidOf(runtime, "guest")),
	},
};
