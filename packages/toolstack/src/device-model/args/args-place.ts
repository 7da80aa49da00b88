import type { DomId } from "@bulkhead/base";

/** Where the QEMU runs that the arguments are for, and what it finds there. */
export type ArgsPlace =
	| {
			kind: "stub-domain";
			guest: DomId;
	  }
	| {
			kind: "dom0";
			guest: DomId;
			/** QMP for the relay. */
			qmpSocket: string;
			/** QMP for libxenstat, which xentop uses (xenstat_qmp.c). */
			statisticsSocket: string;
			/** For -runas; undefined: root. */
			user?: string;
			/** An empty folder that becomes its whole file system. */
			chroot?: string;
			/** Nothing of Xen but its guest. */
			restricted?: boolean;
	  };

/** A stub domain has no socket of the host's, no USB device of it and no path of domain 0; its screen goes by vchans. */
export const inStub = (place: ArgsPlace): boolean => place.kind === "stub-domain";
