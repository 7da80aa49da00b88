/** What a simulated hypercall or device answers in place of a result, in the shape that `refusal` knows of the addons. */
export class SimFailure extends Error {
	readonly operation: string;
	readonly errno: string;
	readonly log: string[];

	constructor(operation: string, errno: string, log: string[] = []) {
		super(`${operation}: ${errno}`);
		this.operation = operation;
		this.errno = errno;
		this.log = log;
	}
}
