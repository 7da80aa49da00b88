import { CancelledError, type ErrorDetails, PeerRefusedError, printable } from "@bulkhead/base";
import { LIMITS } from "./limits.ts";

/** QEMU understood a command and answered with an error. `code` is `qmp-refused`. */
export class QmpError extends PeerRefusedError {
	readonly command: string;
	/** QEMU's error class: GenericError, CommandNotFound, DeviceNotActive, DeviceNotFound … */
	readonly errorClass: string;
	/** QEMU's text, made printable. */
	readonly desc: string;

	constructor(command: string, reply: { class: string; desc: string }, details: ErrorDetails = {}) {
		const errorClass = printable(reply.class, 64);
		const desc = printable(reply.desc, LIMITS.errorText);
		super("qmp-refused", `QEMU refused ${command}: ${desc}`, {
			...details,
			fields: { ...details.fields, command, class: errorClass, desc },
		});
		this.command = command;
		this.errorClass = errorClass;
		this.desc = desc;
	}
}

/** The session ended, by either side, before the answer came. `code` is `qmp-connection-lost`. */
export class QmpConnectionError extends CancelledError {
	constructor(message: string, details?: ErrorDetails) {
		super(message, details, "qmp-connection-lost");
	}
}
