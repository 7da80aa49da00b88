import type { DomId, Uuid } from "@bulkhead/base";

/** Paths of libxl's xenstore layout (docs/misc/xenstore-paths.pandoc). */
export const domainPath = (domid: DomId): string => `/local/domain/${domid}`;
export const vmPath = (id: Uuid): string => `/vm/${id}`;
export const toolstackPath = (domid: DomId): string => `/libxl/${domid}`;
export const dmArgvPath = (guest: Uuid): string => `${vmPath(guest)}/image/dm-argv`;
/** What the stub domain's QEMU and init say about themselves; owned by the stub, so untrusted. */
export const deviceModelPath = (stub: DomId, guest: DomId): string => `${domainPath(stub)}/device-model/${guest}`;
/** Kinds of devices whose backends domain 0 has. */
export const BACKEND_KINDS = ["vbd", "vif", "console", "vfb", "vkbd", "pci"] as const;
export type BackendKind = (typeof BACKEND_KINDS)[number];
export const frontendPath = (domid: DomId, kind: BackendKind, devid: number): string =>
	`${domainPath(domid)}/device/${kind}/${devid}`;
/** Backends live in domain 0. */
export const backendPath = (domid: DomId, kind: BackendKind, devid: number): string =>
	`${backendsPath(domid, kind)}/${devid}`;
/** What Xen's own tools go by; hidden from the domain. */
export const recordPath = (domid: DomId, kind: BackendKind, devid: number): string =>
	`${toolstackPath(domid)}/device/${kind}/${devid}`;
export const backendsPath = (domid: DomId, kind: BackendKind): string => `/local/domain/0/backend/${kind}/${domid}`;
