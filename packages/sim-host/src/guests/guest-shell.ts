/** What a shell's commands do to the machine that it runs on. */
export interface ShellHost {
	write(text: string): void;
	poweroff(): void;
	reboot(): void;
	crash(): void;
}

const LONGEST_LINE = 1024;

/** A tiny shell on a serial line: echoes what is typed, knows a few commands. */
export class GuestShell {
	readonly #host: ShellHost;
	readonly #hostname: string;
	#line = "";

	constructor(hostname: string, host: ShellHost) {
		this.#host = host;
		this.#hostname = hostname;
	}

	start(): void {
		this.#host.write(`${this.#hostname}: ready\r\n`);
		this.#prompt();
	}

	type(bytes: Uint8Array): void {
		for (const char of Buffer.from(bytes).toString("latin1")) this.#take(char);
	}

	#take(char: string): void {
		if (char === "\r" || char === "\n") {
			this.#host.write("\r\n");
			const line = this.#line.trim();
			this.#line = "";
			this.#run(line);
			return;
		}
		if (char === "\x7f" || char === "\b") {
			if (this.#line === "") return;
			this.#line = this.#line.slice(0, -1);
			this.#host.write("\b \b");
			return;
		}
		if (char < " " || this.#line.length >= LONGEST_LINE) return;
		this.#line += char;
		this.#host.write(char);
	}

	#run(line: string): void {
		const [command = "", ...words] = line.split(/\s+/);
		switch (command) {
			case "poweroff":
				this.#host.poweroff();
				return;
			case "reboot":
				this.#host.reboot();
				return;
			case "crash":
				this.#host.crash();
				return;
			case "":
				break;
			case "echo":
				this.#host.write(`${words.join(" ")}\r\n`);
				break;
			case "hostname":
				this.#host.write(`${this.#hostname}\r\n`);
				break;
			case "help":
				this.#host.write("echo, hostname, poweroff, reboot, crash\r\n");
				break;
			default:
				this.#host.write(`${command}: not found\r\n`);
		}
		this.#prompt();
	}

	#prompt(): void {
		this.#host.write(`${this.#hostname}# `);
	}
}
