import { AsyncQueue, type DomId } from "@bulkhead/base";

/** What a QEMU gives its guest: the devices of the emulated PC. */
export interface EmulatedMachine {
	/** Disks that firmware may boot from. */
	readonly disks: number;
	writeSerial(index: number, bytes: string | Uint8Array): void;
	/** The guest has switched itself off, as its QEMU sees it. */
	reportShutdown(): void;
}

/** The guest's side: what its emulated devices tell it. */
export interface EmulatedGuest {
	serialInput(index: number, bytes: Uint8Array): void;
	powerButton(): void;
}

interface Seat {
	machine: EmulatedMachine | undefined;
	guest: EmulatedGuest | undefined;
	/** Those that wait for a machine: a guest's first access to a device waits for its ioreq server. */
	arrivals: AsyncQueue<EmulatedMachine>;
}

/** Connects each HVM guest with the QEMU that is its ioreq server. */
export class EmulatedMachines {
	readonly #seats = new Map<DomId, Seat>();

	get count(): number {
		return this.#seats.size;
	}

	/** QEMU has registered for that guest. */
	register(guest: DomId, machine: EmulatedMachine): void {
		const seat = this.#seat(guest);
		seat.machine = machine;
		seat.arrivals.push(machine);
	}

	/** QEMU is gone: what its guest does with devices from now on is never answered. */
	unregister(guest: DomId, machine: EmulatedMachine): void {
		const seat = this.#seats.get(guest);
		if (seat?.machine === machine) seat.machine = undefined;
		this.#tidy(guest);
	}

	/** For the guest's code: resolves when there is a QEMU, undefined when the guest ends first. */
	async attach(domid: DomId, guest: EmulatedGuest, signal: AbortSignal): Promise<EmulatedMachine | undefined> {
		const seat = this.#seat(domid);
		seat.guest = guest;
		signal.addEventListener(
			"abort",
			() => {
				seat.guest = undefined;
				seat.arrivals.close();
				this.#tidy(domid);
			},
			{ once: true },
		);
		return seat.machine ?? (await seat.arrivals.next()).value;
	}

	/** Undefined when QEMU is gone. */
	findMachine(guest: DomId): EmulatedMachine | undefined {
		return this.#seats.get(guest)?.machine;
	}

	findGuest(guest: DomId): EmulatedGuest | undefined {
		return this.#seats.get(guest)?.guest;
	}

	#seat(guest: DomId): Seat {
		const found = this.#seats.get(guest);
		if (found) return found;
		const seat: Seat = { machine: undefined, guest: undefined, arrivals: new AsyncQueue({ limit: 1 }) };
		this.#seats.set(guest, seat);
		return seat;
	}

	#tidy(guest: DomId): void {
		const seat = this.#seats.get(guest);
		if (seat && !seat.machine && !seat.guest) this.#seats.delete(guest);
	}
}
