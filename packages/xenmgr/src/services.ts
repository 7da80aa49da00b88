import type { Hypervisor } from "@bulkhead/hypervisor";
import type { InstalledImages, ScreenPolicy } from "@bulkhead/toolstack";
import type { XenstoreClient } from "@bulkhead/xenstore";
import type { Logger } from "pino";
import type { Events } from "./events.ts";
import type { GuestStore } from "./guests/guest-store.ts";
import type { RelayLink } from "./relay/relay-link.ts";

/** Where the daemon keeps what belongs to guests. */
export interface Directories {
	/** Records, and copies of boot files beside them. */
	state: string;
	/** Sockets of QEMUs in domain 0. */
	run: string;
	/** What QEMUs in domain 0 print. */
	log: string;
	/** Cores of guests that ended. */
	dumps: string;
	/** Sockets and states of image servers. */
	images: string;
	/** Xen's own, for what its programs look for. */
	xenRun: string;
}

/** What the daemon's parts work with; put together by the composition root. */
export interface Services {
	xenstore: XenstoreClient;
	hypervisor: Hypervisor;
	relay: RelayLink;
	store: GuestStore;
	events: Events;
	installed: InstalledImages;
	directories: Directories;
	screenPolicy: ScreenPolicy;
	log: Logger;
}
