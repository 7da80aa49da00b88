import { type ErrorDetails, PeerRefusedError } from "@bulkhead/base";

/** Xen, its libraries or a Xen driver said no. `errno` is the name of the errno ("EINVAL"), or "" when none was given. */
export class HypervisorError extends PeerRefusedError {
	readonly errno: string;
	/** What Xen's libraries logged during this call: often the only useful text. */
	readonly log: readonly string[];

	constructor(message: string, details: ErrorDetails & { errno?: string; log?: readonly string[] } = {}) {
		super("hypervisor-refused", message, {
			...details,
			fields: { ...details.fields, errno: details.errno ?? "", log: details.log ?? [] },
		});
		this.errno = details.errno ?? "";
		this.log = details.log ?? [];
	}
}
