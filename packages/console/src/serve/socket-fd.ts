import type { Socket } from "node:net";

/** The descriptor under a socket, undefined once closed. Node keeps it in an undocumented place, stable since Node 4. */
export function socketFd(socket: Socket): number | undefined {
	const handle: unknown = Reflect.get(socket, "_handle");
	const fd: unknown = typeof handle === "object" && handle !== null ? Reflect.get(handle, "fd") : undefined;
	return typeof fd === "number" && fd >= 0 ? fd : undefined;
}
