import { type Command, InvalidArgumentError } from "commander";
import { examples } from "./arguments.ts";
import type { StartCommand } from "./start-command.ts";

/** Commands about processors, memory and signals of running guests, and about cpupools. */
export function addTuningCommands(program: Command, start: StartCommand): void {
	addVcpuCommands(program, start);
	addMemoryCommands(program, start);
	for (const scheduler of ["credit", "credit2"] as const) addSchedulerCommand(program, start, scheduler);
	addSignalCommands(program, start);
	addPoolCommands(program, start);
}

function wholeNumber(text: string): number {
	if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError("It must be a whole number.");
	return Number(text);
}

interface PinOptions {
	ignoreGlobalAffinityMasks?: boolean;
}

function addVcpuCommands(program: Command, start: StartCommand): void {
	program
		.command("vcpu-list")
		.description("list vcpus of guests, in the columns of xl vcpu-list")
		.argument("[guests...]", "all when none is named")
		.addHelpText("after", examples("vcpu-list", "--json vcpu-list web"))
		.action((refs: string[]) =>
			start(async (context) => (await import("../commands/cpus.ts")).vcpuList(context, refs)),
		);
	program
		.command("vcpu-set")
		.summary("set how many vcpus a guest uses")
		.description(
			"Sets how many of its vcpus a running guest uses. PV and PVH guests take them up or down when their kernel gets to it; an HVM guest only gets more.",
		)
		.argument("<guest>")
		.argument("<count>", "1 to maxvcpus", wholeNumber)
		.addHelpText("after", examples("vcpu-set web 4"))
		.action((ref: string, count: number) =>
			start(async (context) => (await import("../commands/cpus.ts")).vcpuSet(context, ref, count)),
		);
	program
		.command("vcpu-pin")
		.summary("set on which processors a vcpu runs")
		.description("Sets on which processors a vcpu must run, and would rather run. “-” leaves an affinity as it is.")
		.argument("<guest>")
		.argument("<vcpu>", "a number, or all")
		.argument("<hard>", "processors: 0-3,^2, all, node:0, or -")
		.argument("[soft]", "the same, for the soft affinity")
		.option("-i, --ignore-global-affinity-masks", "beyond the processors that bulkheadd leaves to guests")
		.addHelpText("after", examples("vcpu-pin web 0 2-3", "vcpu-pin web all - node:1"))
		.action((ref: string, vcpu: string, hard: string, soft: string | undefined, options: PinOptions) =>
			start(async (context) =>
				(await import("../commands/cpus.ts")).vcpuPin(context, ref, {
					vcpu: vcpu === "all" ? vcpu : `${wholeNumber(vcpu)}`,
					hard,
					soft,
					ignoreMasks: options.ignoreGlobalAffinityMasks,
				}),
			),
		);
}

function addMemoryCommands(program: Command, start: StartCommand): void {
	program
		.command("mem-set")
		.summary("set how much memory a guest has")
		.description("Asks the guest's balloon driver for another size, which Xen then holds it to.")
		.argument("<guest>")
		.argument("<size>", "MiB, or with a unit: 512m, 2g")
		.addHelpText("after", examples("mem-set web 512", "mem-set web 2g"))
		.action((ref: string, size: string) =>
			start(async (context) => (await import("../commands/memory.ts")).memSet(context, ref, size)),
		);
	program
		.command("mem-max")
		.description("set how much memory Xen allows a guest at most")
		.argument("<guest>")
		.argument("<size>", "MiB, or with a unit: 512m, 2g")
		.addHelpText("after", examples("mem-max web 4g"))
		.action((ref: string, size: string) =>
			start(async (context) => (await import("../commands/memory.ts")).memMax(context, ref, size)),
		);
}

function addSchedulerCommand(program: Command, start: StartCommand, scheduler: "credit" | "credit2"): void {
	program
		.command(`sched-${scheduler}`)
		.summary(`see or set weights under the scheduler ${scheduler}`)
		.description(`Shows guests' weights and caps under the scheduler ${scheduler}, or sets those of one.`)
		.option("-d, --domain <guest>", "only this guest")
		.option("-w, --weight <weight>", "its share beside others, 256 by default", wholeNumber)
		.option("-c, --cap <percent>", "the most it may use, in hundredths of a processor; 0: no limit", wholeNumber)
		.addHelpText("after", examples(`sched-${scheduler}`, `sched-${scheduler} -d web -w 512`))
		.action(({ domain, weight, cap }: { domain?: string; weight?: number; cap?: number }, command: Command) => {
			if (domain === undefined && (weight !== undefined || cap !== undefined))
				command.error("bulkhead: -w and -c need a guest: -d");
			return start(async (context) =>
				(await import("../commands/cpus.ts")).sched(context, domain, {
					scheduler,
					...(weight !== undefined && { weight }),
					...(cap !== undefined && { cap }),
				}),
			);
		});
}

function addSignalCommands(program: Command, start: StartCommand): void {
	program
		.command("trigger")
		.description("send a signal to a guest: nmi, reset, init, power, sleep or s3resume")
		.argument("<guest>")
		.argument("<trigger>")
		.argument("[vcpu]", "who gets an NMI or INIT", wholeNumber)
		.addHelpText("after", examples("trigger web nmi", "trigger web s3resume"))
		.action((ref: string, name: string, vcpu?: number) =>
			start(async (context) => (await import("../commands/signals.ts")).trigger(context, ref, name, vcpu)),
		);
	program
		.command("button-press")
		.description("press a guest's power or sleep button")
		.argument("<guest>")
		.argument("<button>", "power or sleep")
		.addHelpText("after", examples("button-press web power"))
		.action((ref: string, button: string, _options: unknown, command: Command) => {
			if (button !== "power" && button !== "sleep") command.error("bulkhead: a button is power or sleep");
			return start(async (context) => (await import("../commands/signals.ts")).trigger(context, ref, button));
		});
	program
		.command("sysrq")
		.description("press a magic SysRq key of a guest")
		.argument("<guest>")
		.argument("<letter>")
		.addHelpText("after", examples("sysrq web s"))
		.action((ref: string, key: string) =>
			start(async (context) => (await import("../commands/signals.ts")).sysrq(context, ref, key)),
		);
	program
		.command("debug-keys")
		.description("send keys to the hypervisor's console; see dmesg for what they print")
		.argument("<keys>")
		.addHelpText("after", examples("debug-keys q"))
		.action((keys: string) =>
			start(async (context) => (await import("../commands/signals.ts")).debugKeys(context, keys)),
		);
}

function addPoolCommands(program: Command, start: StartCommand): void {
	program
		.command("cpupool-list")
		.description("list cpupools, in the columns of xl cpupool-list")
		.argument("[pool]")
		.option("-c, --cpus", "list their processors")
		.addHelpText("after", examples("cpupool-list", "cpupool-list -c Pool-0"))
		.action((pool: string | undefined, { cpus = false }: { cpus?: boolean }) =>
			start(async (context) => (await import("../commands/pools.ts")).poolList(context, pool, cpus)),
		);
	program
		.command("cpupool-create")
		.summary("create a cpupool")
		.description("Creates a cpupool. Its processors must belong to none: take them from Pool-0 first.")
		.argument("<settings...>", 'name="…", sched="…", cpus="…"')
		.addHelpText("after", examples(`cpupool-create 'name="lab"' 'sched="credit"' 'cpus="3"'`))
		.action((settings: string[]) =>
			start(async (context) => (await import("../commands/pools.ts")).poolCreate(context, settings)),
		);
	program
		.command("cpupool-destroy")
		.description("destroy a cpupool in which nothing runs")
		.argument("<pool>")
		.addHelpText("after", examples("cpupool-destroy lab"))
		.action((pool: string) =>
			start(async (context) => (await import("../commands/pools.ts")).poolDestroy(context, pool)),
		);
	for (const [name, remove] of [
		["add", false],
		["remove", true],
	] as const)
		program
			.command(`cpupool-cpu-${name}`)
			.description(remove ? "take processors from a cpupool" : "add processors to a cpupool")
			.argument("<pool>")
			.argument("<cpus>", "processors: 2-3, node:1")
			.addHelpText("after", examples(`cpupool-cpu-${name} lab 3`))
			.action((pool: string, cpus: string) =>
				start(async (context) => (await import("../commands/pools.ts")).poolCpus(context, pool, cpus, remove)),
			);
	program
		.command("cpupool-migrate")
		.description("move a guest to another cpupool")
		.argument("<guest>")
		.argument("<pool>")
		.addHelpText("after", examples("cpupool-migrate web lab"))
		.action((ref: string, pool: string) =>
			start(async (context) => (await import("../commands/pools.ts")).poolMigrate(context, ref, pool)),
		);
}
