import { BulkheadError, type ErrorDetails, InvalidInputError } from "@bulkhead/base";

/** A step of a plan failed; `cause` says why, `fields.step` which. Everything begun has been undone. */
export class StepFailedError extends BulkheadError {
	constructor(step: string, title: string, cause: unknown) {
		const known = cause instanceof BulkheadError ? cause : undefined;
		super(known?.code ?? "step-failed", `${title} failed`, {
			cause,
			remedy: known?.remedy,
			fields: { ...known?.fields, step },
		});
	}
}

/** A file that the guest's config names cannot be used. Nothing has been created. */
export class FileUnusableError extends InvalidInputError {
	constructor(role: string, path: string, why: string, details: ErrorDetails = {}) {
		super(
			`The ${role} ${JSON.stringify(path)} ${why}`,
			{ ...details, fields: { ...details.fields, role, path } },
			"file-unusable",
		);
	}
}

/** The host or the stub domain would not have the memory that the guest needs. Nothing has been created. */
export class NotEnoughMemoryError extends InvalidInputError {
	constructor(message: string, details: ErrorDetails) {
		super(message, details, "not-enough-memory");
	}
}

/** A stub domain, or the QEMU in it, did not start or is gone. */
export class DeviceModelError extends BulkheadError {
	constructor(message: string, details: ErrorDetails = {}) {
		super("device-model-failed", message, details);
	}
}

/** A guest's memory could not be written to a file. The guest is as it was. */
export class DumpError extends BulkheadError {
	constructor(message: string, details: ErrorDetails = {}) {
		super("dump-failed", message, details);
	}
}

/** There is no such device, or the guest's kind of device does not allow what was asked. Nothing has been changed. */
export class DeviceRefusedError extends InvalidInputError {
	constructor(code: "no-such-device" | "device-exists" | "device-refused", message: string, details: ErrorDetails) {
		super(message, details, code);
	}
}

/** A device could not be attached or changed. What had been begun is undone, as far as the message does not say else. */
export class DeviceError extends BulkheadError {
	constructor(message: string, details: ErrorDetails = {}) {
		super("device-failed", message, details);
	}
}
