export {
	type AttachChannelRequest,
	type AttachChannelResult,
	attachChannelRequest,
	type Channel,
	channelDocument,
	type DetachChannelResult,
} from "./channels.ts";
export {
	type AttachDiskRequest,
	attachDiskRequest,
	type ChangeMediumRequest,
	changeMediumRequest,
	type DiskResult,
	type GuestDisk,
	guestDiskDocument,
} from "./disks.ts";
export type * from "./documents.ts";
export { type ErrorStatus, statusOfError } from "./error-status.ts";
export {
	type AssignablePci,
	type AttachPciRequest,
	attachPciRequest,
	type GuestPci,
	type MakeAssignableRequest,
	makeAssignableRequest,
} from "./pci.ts";
export { API } from "./protocol.ts";
export type * from "./requests.ts";
export {
	attachNicRequest,
	createGuestRequest,
	doctorDocument,
	dumpCoreRequest,
	guestDocument,
	hostDocument,
	hostEvent,
	progressLine,
	qmpRequest,
	renameRequest,
	serializedError,
	shutdownRequest,
} from "./schemas.ts";
export type { Screen, ScreenInvitation } from "./screens.ts";
export * from "./tuning.ts";
export { type AttachUsbRequest, attachUsbRequest, type GuestUsbController, type GuestUsbDevice } from "./usb.ts";
