import type { GuestUsbController, GuestUsbDevice } from "@bulkhead/api/client";

const CONNECTED = 4;

/** Controllers in the columns of `xl usb-list`, each with its ports. */
export function usbTable(controllers: readonly GuestUsbController[]): string {
	if (controllers.length === 0) return "No USB controller";
	const lines = controllers.flatMap(({ devid, version, ports, devices }) => [
		`${pad(devid, 6)} ${pad("devicemodel", 11)} ${pad(0, 3)} ${pad(CONNECTED, 5)} ${pad(version, 7)} ${ports}`,
		...Array.from({ length: ports }, (_, at) => {
			const device = devices.find(({ port }) => port === at + 1);
			return `  Port ${at + 1}:${device ? ` ${describe(device)}` : ""}`;
		}),
	]);
	return [`${pad("Devid", 6)} ${pad("Type", 11)} BE  state usb-ver ports`, ...lines].join("\n");
}

function describe({ kind, host }: GuestUsbDevice): string {
	if (!host) return kind;
	return `Bus ${`${host.bus}`.padStart(3, "0")} Device ${`${host.address}`.padStart(3, "0")}`;
}

const pad = (value: string | number, width: number): string => `${value}`.padEnd(width);
