import { describe, expect, test } from "vitest";
import { type DaemonOptions, parseOptions } from "../src/options.ts";

function parsed(...args: string[]): DaemonOptions {
	const result = parseOptions(args);
	if ("print" in result) expect.fail(result.print);
	return result.run;
}

describe("parseOptions", () => {
	test("is native, and lies where packages put things, unless told otherwise", () => {
		expect(parsed()).toMatchObject({
			hypervisor: "native",
			socket: "/run/bulkhead/bulkheadd.sock",
			relaySocket: "/run/bulkhead/relay/control.sock",
			stateDirectory: "/var/lib/bulkhead/guests",
			xenstoreSocket: "/run/xenstored/socket",
			stubKernel: "/usr/lib/bulkhead/stubdom/vmlinux",
			stubMemoryMiB: 128,
		});
	});

	test("keeps a simulated host in its directory, but for what is named", () => {
		expect(parsed("--hypervisor=sim", "--sim-directory", "/d", "--socket=/elsewhere", "--bios", "/b")).toMatchObject({
			hypervisor: "sim",
			socket: "/elsewhere",
			bios: "/b",
			relaySocket: "/d/relay/control.sock",
			stateDirectory: "/d/guests",
			xenstoreSocket: "/d/xenstored.sock",
			firmware: "/d/images/hvmloader",
			stubKernel: "/d/images/stub-kernel",
			stubRamdisk: "/d/images/stub-ramdisk",
		});
	});

	test.each([["--hypervisor=kvm"], ["--stub-memory=31"], ["--stub-memory=many"], ["--sim-memory=0"], ["--frobnicate"]])(
		"refuses %s",
		(option) => {
			expect(() => parseOptions([option])).toThrow(expect.objectContaining({ code: "invalid-input" }));
		},
	);

	test("leaves processors to guests", () => {
		expect(parsed().guestCpus).toEqual({});
		expect(parsed("--guest-cpus=1-3", "--hvm-guest-cpus=2-3", "--pv-guest-cpus", "all,^0").guestCpus).toEqual({
			all: "1-3",
			hvm: "2-3",
			pv: "all,^0",
		});
	});

	test("serves browsers only when told to, and beyond this host only with TLS", () => {
		expect(parsed().browsers).toBeUndefined();
		expect(parsed("--http-listen=127.0.0.1:8006").browsers).toEqual({
			address: { host: "127.0.0.1", port: 8006, isLoopback: true },
		});
		expect(parsed("--http-listen=[::1]:0").browsers?.address).toEqual({ host: "::1", port: 0, isLoopback: true });
		const tls = ["--http-certificate=/c.pem", "--http-key=/k.pem"];
		expect(parsed("--http-listen=0.0.0.0:443", ...tls).browsers).toEqual({
			address: { host: "0.0.0.0", port: 443, isLoopback: false },
			tls: { certificate: "/c.pem", key: "/k.pem" },
		});
		for (const wrong of [
			...[["0.0.0.0:80"], ["[::]:80"], ["192.0.2.1:80"], ["localhost:80"], ["127.0.0.1"]],
			...[[":80"], ["127.0.0.1:65536"], ["127.0.0.1:x"], ["::1:80"], ["127.0.0.1:80", tls[0]], ["[127.0.0.1]:80"]],
		] as string[][]) {
			const [address, ...more] = wrong;
			expect(() => parseOptions([`--http-listen=${address}`, ...more])).toThrow(
				expect.objectContaining({ code: "invalid-input" }),
			);
		}
		expect(() => parseOptions(tls)).toThrow(expect.objectContaining({ code: "invalid-input" }));
	});

	test("prints its version and its options", () => {
		expect(parseOptions(["--version"])).toEqual({ print: "bulkheadd 0.1.0" });
		expect(parseOptions(["--help"])).toEqual({ print: expect.stringContaining("--hypervisor") });
	});

	test("has TLS for screens with a certificate and its key, not with one of them", () => {
		expect(parsed()).toMatchObject({ vncAllowPlain: false });
		expect(parsed().vncTls).toBeUndefined();
		expect(parsed("--vnc-tls-cert=/c", "--vnc-tls-key=/k", "--vnc-allow-plain")).toMatchObject({
			vncTls: { cert: "/c", key: "/k" },
			vncAllowPlain: true,
		});
		for (const one of ["--vnc-tls-cert=/c", "--vnc-tls-key=/k"])
			expect(() => parsed(one)).toThrow("certificate and its key");
	});
});
