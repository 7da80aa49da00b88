import * as z from "zod";

/** A USB controller of a running guest, as GET /guests/{ref}/usb tells of it. */
export interface GuestUsbController {
	devid: number;
	/** 1: UHCI, 2: EHCI, 3: xHCI. */
	version: number;
	ports: number;
	devices: GuestUsbDevice[];
}

export interface GuestUsbDevice {
	controller: number;
	port: number;
	/** "hostdev" is one of the host's. */
	kind: "hostdev" | "tablet" | "mouse" | "keyboard";
	host?: { bus: number; address: number };
}

/** Body of POST /guests/{ref}/usb/controllers and /usb/devices. */
export interface AttachUsbRequest {
	/** As an entry of `usbctrl = [ … ]` or `usbdev = [ … ]`. */
	spec: string;
}

export const attachUsbRequest: z.ZodType<AttachUsbRequest> = z.object({ spec: z.string().max(1024) });
