/** What the relay needs of a logger; pino's has it. Context must be JSON, and text from a guest made printable. */
export interface RelayLog {
	info(context: object, message: string): void;
	warn(context: object, message: string): void;
	error(context: object, message: string): void;
}
