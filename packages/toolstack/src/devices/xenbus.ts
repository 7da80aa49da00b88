/** States of a xenbus device's two ends (io/xenbus.h). */
export const XENBUS_STATE = {
	unknown: 0,
	initialising: 1,
	initWait: 2,
	initialised: 3,
	connected: 4,
	closing: 5,
	closed: 6,
} as const;
