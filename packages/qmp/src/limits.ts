/** What a QEMU that is not trusted may cost us. */
export const LIMITS = {
	/** One message, newline excluded; libxl allows the same. */
	messageBytes: 1_048_576,
	/** Nested arrays and objects. QEMU's own answers stay below 12. */
	depth: 64,
	/** Events kept for a consumer that does not take them; later ones are dropped and counted. */
	queuedEvents: 256,
	/** Commands given up on whose answers may still come. */
	abandonedCommands: 64,
	/** Messages before the greeting: what a previous session left in the channel. */
	messagesBeforeGreeting: 64,
	/** Characters of QEMU's error text that are kept. */
	errorText: 1024,
} as const;
