import type { GuestUsbDevice } from "@bulkhead/api/client";
import type { CommandContext } from "../command-context.ts";
import { usbTable } from "../output/usb-table.ts";

/** As xl's, each word is a part of the specification. */
export async function usbControllerAttach(
	context: CommandContext,
	ref: string,
	parts: readonly string[],
): Promise<void> {
	const controller = await context.client.attachUsbController(ref, { spec: parts.join(",") });
	tell(context, controller, `USB controller ${controller.devid} attached to ${ref}`);
}

export async function usbControllerDetach(context: CommandContext, ref: string, devid: string): Promise<void> {
	const controller = await context.client.detachUsbController(ref, devid);
	tell(context, controller, `USB controller ${controller.devid} detached from ${ref}`);
}

export async function usbDeviceAttach(context: CommandContext, ref: string, parts: readonly string[]): Promise<void> {
	const device = await context.client.attachUsbDevice(ref, { spec: parts.join(",") });
	tell(context, device, `${titleOf(device)} attached to ${ref}`);
}

export async function usbDeviceDetach(
	context: CommandContext,
	ref: string,
	controller: string,
	port: string,
): Promise<void> {
	const device = await context.client.detachUsbDevice(ref, controller, port);
	tell(context, device, `${titleOf(device)} detached from ${ref}`);
}

export async function usbList(context: CommandContext, ref: string): Promise<void> {
	const controllers = await context.client.usb(ref);
	if (context.json) context.printJson(controllers);
	else context.print(usbTable(controllers));
}

const titleOf = ({ controller, port }: GuestUsbDevice): string =>
	`USB device in port ${port} of controller ${controller}`;

function tell(context: CommandContext, result: unknown, sentence: string): void {
	if (context.json) context.printJson(result);
	else context.print(sentence);
}
