/**
 * The socket of the C proxy that xl has started for a guest, among the command lines of dom0's processes. Ours in its
 * place (vchan-socket-proxy.mjs) is none.
 */
export function findProxySocket(commandLines: readonly string[], domid: number): string | undefined {
	const proxy = new RegExp(String.raw`vchan-socket-proxy .*/device-model/${domid}/qmp-vchan (/\S+)`);
	for (const line of commandLines) {
		const socket = proxy.exec(line)?.[1];
		if (socket) return socket;
	}
	return undefined;
}
