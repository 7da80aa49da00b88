import type { Command } from "commander";
import { examples } from "./arguments.ts";
import type { StartCommand } from "./start-command.ts";

/** Commands about USB in running guests. */
export function addUsbCommands(program: Command, start: StartCommand): void {
	program
		.command("usbctrl-attach")
		.summary("give a running guest a USB controller")
		.description("Gives a running HVM guest an emulated USB controller. The guest keeps it over reboots.")
		.argument("<guest>")
		.argument("[spec...]", "parameters, as in usbctrl = [ … ]: version=1|2|3, ports=N")
		.addHelpText("after", examples("usbctrl-attach web", "usbctrl-attach web version=3 ports=4"))
		.action((ref: string, parts: string[]) =>
			start(async (context) => (await import("../commands/usb.ts")).usbControllerAttach(context, ref, parts)),
		);
	program
		.command("usbctrl-detach")
		.summary("take a USB controller from a running guest")
		.description(
			"Takes a USB controller from a running guest, with what is in its ports. The guest's kernel ejects it.",
		)
		.argument("<guest>")
		.argument("<devid>", "the controller's number in usb-list")
		.addHelpText("after", examples("usbctrl-detach web 0"))
		.action((ref: string, devid: string) =>
			start(async (context) => (await import("../commands/usb.ts")).usbControllerDetach(context, ref, devid)),
		);
	program
		.command("usbdev-attach")
		.summary("plug a USB device into a running guest")
		.description(
			"Plugs a USB device into a running HVM guest: an emulated one (type=tablet, mouse or keyboard), or one of the host when QEMU runs in domain 0.",
		)
		.argument("<guest>")
		.argument("<spec...>", "parameters, as in usbdev = [ … ]")
		.addHelpText(
			"after",
			examples("usbdev-attach web type=tablet", "usbdev-attach web hostbus=1 hostaddr=3 controller=0 port=2"),
		)
		.action((ref: string, parts: string[]) =>
			start(async (context) => (await import("../commands/usb.ts")).usbDeviceAttach(context, ref, parts)),
		);
	program
		.command("usbdev-detach")
		.description("pull a USB device out of a running guest")
		.argument("<guest>")
		.argument("<controller>")
		.argument("<port>")
		.addHelpText("after", examples("usbdev-detach web 0 1"))
		.action((ref: string, controller: string, port: string) =>
			start(async (context) => (await import("../commands/usb.ts")).usbDeviceDetach(context, ref, controller, port)),
		);
	program
		.command("usb-list")
		.description("list a guest's USB controllers and what is in their ports")
		.argument("<guest>")
		.addHelpText("after", examples("usb-list web", "--json usb-list web"))
		.action((ref: string) => start(async (context) => (await import("../commands/usb.ts")).usbList(context, ref)));
}
