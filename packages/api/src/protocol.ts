/** The HTTP API's fixed points, shared by the daemon and its clients. */
export const API = {
	/** Before every route. */
	prefix: "/v1",
	/** Where bulkheadd listens unless told otherwise. */
	socketPath: "/run/bulkhead/bulkheadd.sock",
	/**
	 * A client may name its operation (a uuid) in this header of POST /guests, DELETE /guests/{ref} and …/shutdown, and
	 * cancel it by DELETE /operations/{id}. The operation's own stream goes on and ends with an error line, code
	 * "cancelled", when what had been begun is undone. Losing the connection cancels too, but nobody hears the end.
	 */
	operationHeader: "x-bulkhead-operation",
	/** Of one line of a streamed answer, in bytes. */
	lineBytes: 4_194_304,
	/** Of an answer that is not streamed, in bytes. */
	bodyBytes: 67_108_864,
	/** Of a QMP command's or a shutdown's deadline. */
	longestTimeoutMs: 3_600_000,
} as const;
