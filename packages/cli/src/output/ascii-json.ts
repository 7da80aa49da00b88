/** JSON of printable ASCII only: text from guests cannot reach the terminal by it. */
export function asciiJson(value: unknown, indent?: number): string {
	const text = JSON.stringify(value, undefined, indent) ?? "null";
	return text.replace(/[^\x20-\x7e\n]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
