export type { NumberedChannel } from "./channels/channel-nodes.ts";
export { ChannelServer, type ChannelServerParts } from "./channels/channel-server.ts";
export { checkFurtherChannel } from "./channels/check-channels.ts";
export { attachChannel, detachChannel } from "./channels/hotplug-channel.ts";
export { freeDevid, numberedChannels } from "./channels/place-channels.ts";
export { checkHost, type InstalledImages } from "./check-host.ts";
export { checkFurtherNic, type NetworkDefaults } from "./check-nics.ts";
export { checkSupported } from "./check-supported.ts";
export type { ChannelDoor, ChannelKeys, GuestPlaces, RingServices, ScreenDoor, ToolstackContext } from "./context.ts";
export { hasStubScreen } from "./device-model/args/screen-args.ts";
export { awaitQmpVchan, readDeviceModelError } from "./device-model/await-running.ts";
export { awaitLocalQemuEnd, qmpSocketOf } from "./device-model/dom0/local-qemu.ts";
export { needsPvQemu, screenOf } from "./device-model/pv-screen.ts";
export { awaitBackend } from "./devices/await-backend.ts";
export { connectConsole } from "./devices/console.ts";
export {
	consolesBelongHere,
	type ForeignConsole,
	findForeignConsole,
	foreignConsolePath,
	publishTty,
} from "./devices/foreign-console.ts";
export { attachNic, detachNic } from "./devices/nics.ts";
export type { HeldDisk } from "./devices/open-disk.ts";
export { imageFolderOf } from "./devices/open-disk.ts";
export { findBackendDomid } from "./devices/record.ts";
export { nicsOf } from "./devices/vif.ts";
export type { XenbusDevice } from "./devices/xenbus-device.ts";
export { xenbusPaths } from "./devices/xenbus-device.ts";
export { type Removal, type RemovalOptions, removeXenbusDevice } from "./devices/xenbus-removal.ts";
export { awaitDomainGone, endOf } from "./domain/await-end.ts";
export { findPool } from "./domain/cpupool.ts";
export { dumpCore } from "./domain/dump-core.ts";
export { allowedCpus, cpuMasksFor, type GuestCpus } from "./domain/guest-cpus.ts";
export { backendPath, deviceModelPath, domainPath, frontendPath } from "./domain/paths.ts";
export { mergeScheduling } from "./domain/place-domain.ts";
export { renameDomain } from "./domain/rename-domain.ts";
export {
	DeviceError,
	DeviceModelError,
	DeviceRefusedError,
	FileUnusableError,
	NotEnoughMemoryError,
	StepFailedError,
} from "./errors.ts";
export { type ExecuteOptions, execute, type Plan, type StepProgress, stepsOf } from "./executor.ts";
export type { HostFacts } from "./host-facts.ts";
export { attachDisk, checkAttach } from "./hotplug/attach-disk.ts";
export { changeMedium, checkDrive, type MediumChange } from "./hotplug/change-medium.ts";
export { checkDetach, detachDisk, findDisk } from "./hotplug/detach-disk.ts";
export { type DiskState, listDisks } from "./hotplug/list-disks.ts";
export {
	type AssignableDevice,
	findAssignable,
	listAssignable,
	makeAssignable,
	makeUnassignable,
	type PciHost,
} from "./pci/assignable.ts";
export { attachPci, detachPci } from "./pci/attach-pci.ts";
export { checkPciGuest, functionsOf } from "./pci/check-pci.ts";
export { consolesOf, planCreate } from "./plan/create.ts";
export { planDestroy, planStrip } from "./plan/destroy.ts";
export type { DomainRuntime, GuestRuntime, LocalQemu, PlacedChannel, ScreenRuntime } from "./runtime.ts";
export { connectScreen } from "./screen/connect-screen.ts";
export { findScreenVchans, type ScreenSlot } from "./screen/find-screen-vchans.ts";
export { listenerWarning, type ScreenPolicy } from "./screen/screen-policy.ts";
export { createActions } from "./steps/create-actions.ts";
export { destroyActions } from "./steps/destroy-actions.ts";
export type { ConsoleRequest, CreateStep, DestroyStep, Role } from "./steps.ts";
export { setMemoryLimit, setMemoryTarget, type Tuning } from "./tune/memory.ts";
export { changePoolCpus, createPool, destroyPool, listPools, type NamedPool } from "./tune/pools.ts";
export { listVcpus, pinVcpus, setVcpus, type VcpuState } from "./tune/vcpus.ts";
export { checkController, checkUsbDevice } from "./usb/check-usb.ts";
export { plugController, plugDevice, unplugController, unplugDevice } from "./usb/plug-usb.ts";
export {
	addController,
	addDevice,
	type UsbController,
	type UsbDevice,
	type UsbTopology,
	usbLists,
	usbTopology,
} from "./usb/usb-topology.ts";
