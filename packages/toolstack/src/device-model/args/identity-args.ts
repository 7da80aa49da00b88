import type { GuestConfig } from "@bulkhead/xlcfg";
import type { ArgsPlace } from "./args-place.ts";
import { optionValue, wholeArgument } from "./option-text.ts";

/** For whom QEMU works, and that it outlives the guest's power off: the toolstack decides what follows. */
export function targetArgs({ guest }: ArgsPlace): string[] {
	return ["-xen-domid", `${guest}`, "-no-shutdown"];
}

/** The two monitors of a QEMU in domain 0; in a stub domain init adds its own. */
export function monitorArgs(place: ArgsPlace): string[] {
	if (place.kind !== "dom0") return [];
	return [
		...unixMonitor("libxl-cmd", place.qmpSocket),
		// A restricted one cannot say by xenstore that it runs: it waits for QMP's `cont`.
		...(place.restricted ? ["-S"] : []),
		...unixMonitor("libxenstat-cmd", place.statisticsSocket),
	];
}

/** Nothing of Xen but this guest, from when QEMU has opened what it needs. */
export function restrictionArgs(place: ArgsPlace): string[] {
	return place.kind === "dom0" && place.restricted ? ["-xen-domid-restrict"] : [];
}

/** No file any more, from then on. */
export function chrootArgs(place: ArgsPlace): string[] {
	return place.kind === "dom0" && place.chroot !== undefined ? ["-chroot", wholeArgument("folder", place.chroot)] : [];
}

export function userArgs(place: ArgsPlace): string[] {
	return place.kind === "dom0" && place.user !== undefined ? ["-runas", wholeArgument("user", place.user)] : [];
}

function unixMonitor(id: string, path: string): string[] {
	return [
		"-chardev",
		`socket,id=${id},path=${optionValue("socket's path", path)},server=on,wait=off`,
		"-mon",
		`chardev=${id},mode=control`,
	];
}

/** A word with "=" would be a key of -name, and one with a dash looks like an option: such a name is given by its key. */
export function nameArgs({ name }: GuestConfig): string[] {
	const value = optionValue("guest's name", name);
	return ["-nodefaults", "-no-user-config", "-name", /^-|=/.test(name) ? `guest=${value}` : value];
}
