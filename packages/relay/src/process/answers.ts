import { connect } from "node:net";

/** Whether somebody accepts connections on a unix socket. */
export function answers(path: string): Promise<boolean> {
	return new Promise((resolve) => {
		const socket = connect({ path });
		socket.once("error", () => resolve(false));
		socket.once("connect", () => {
			socket.destroy();
			resolve(true);
		});
	});
}
