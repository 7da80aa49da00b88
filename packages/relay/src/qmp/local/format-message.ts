/** One line in ASCII, as QEMU writes it: no byte of it means anything to a terminal, whoever made the strings. */
export function formatMessage(message: object): string {
	const text = JSON.stringify(message).replace(
		/[\u007f-\uffff]/g,
		(char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
	);
	return `${text}\r\n`;
}
