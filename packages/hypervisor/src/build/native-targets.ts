/** The sources and libraries of each addon (native/*.cc). */
export const NATIVE_TARGETS = {
	/** Only libraries with a stable ABI: one file serves every Xen. */
	xenrings: {
		sources: [
			"xenrings",
			"arguments",
			"captured-log",
			"evtchn",
			"failure",
			"fd-poll",
			"foreign-memory",
			"grant-offers",
			"grants",
			"host-devices",
			"listeners",
			"loop-device",
			"loop-poll",
			"mapping-table",
			"network-links",
		],
		libraries: ["xenevtchn", "xengnttab", "xenforeignmemory"],
	},
	/** Libraries whose sonames carry Xen's version: built for the Xen that runs. */
	xenctrl: {
		sources: [
			"xenctrl",
			"arguments",
			"builder",
			"captured-log",
			"cpus",
			"domain-settings",
			"domains",
			"dump-core",
			"failure",
			"file-contents",
			"host",
			"xc-session",
		],
		libraries: ["xenctrl", "xenguest", "xenforeignmemory"],
	},
} as const;
