import type { Command } from "commander";
import { examples } from "./arguments.ts";
import type { StartCommand } from "./start-command.ts";

/** Commands about the disks of running guests. VDEV is a disk's name in the guest (hdc, xvdb) or its number. */
export function addDiskCommands(program: Command, start: StartCommand): void {
	program
		.command("block-attach")
		.summary("give a running guest a disk")
		.description("Gives a running guest a disk, described as in its config file. The guest keeps it over reboots.")
		.argument("<guest>")
		.argument("<spec...>", "parameters of the disk, as in disk = [ … ]")
		.addHelpText(
			"after",
			examples("block-attach web /srv/data.img,raw,xvdb", "block-attach web vdev=xvdc access=ro target=/dev/vg/data"),
		)
		.action((ref: string, parts: string[]) =>
			start(async (context) => (await import("../commands/block.ts")).blockAttach(context, ref, parts)),
		);
	program
		.command("block-detach")
		.summary("take a disk from a running guest")
		.description("Takes a disk from a running guest. One that does not give it up in 10 s loses it.")
		.argument("<guest>")
		.argument("<vdev>")
		.option("--force", "do not ask the guest")
		.addHelpText("after", examples("block-detach web xvdb", "block-detach --force web 51728"))
		.action((ref: string, vdev: string, { force = false }: { force?: boolean }) =>
			start(async (context) => (await import("../commands/block.ts")).blockDetach(context, ref, vdev, force)),
		);
	program
		.command("block-list")
		.description("list disks of guests, in the columns of xl block-list")
		.argument("<guests...>")
		.addHelpText("after", examples("block-list web", "--json block-list web"))
		.action((refs: string[]) =>
			start(async (context) => (await import("../commands/block.ts")).blockList(context, refs)),
		);
	program
		.command("cd-insert")
		.summary("put a medium into a guest's CD drive")
		.description("Puts an image into a running guest's CD drive, in place of what is in it.")
		.argument("<guest>")
		.argument("<vdev>", "the drive: hdc")
		.argument("<file>", "an image, or a block device")
		.addHelpText("after", examples("cd-insert web hdc /srv/images/debian.iso"))
		.action((ref: string, vdev: string, file: string) =>
			start(async (context) => (await import("../commands/cd.ts")).cdInsert(context, ref, vdev, file)),
		);
	program
		.command("cd-eject")
		.description("take the medium out of a guest's CD drive, also when the guest has locked it")
		.argument("<guest>")
		.argument("<vdev>", "the drive: hdc")
		.addHelpText("after", examples("cd-eject web hdc"))
		.action((ref: string, vdev: string) =>
			start(async (context) => (await import("../commands/cd.ts")).cdEject(context, ref, vdev)),
		);
}
