import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { parseFragment, unmetRequests } from "../src/kernel-fragment.ts";
import { KERNEL_FRAGMENT } from "../src/minimal-kernel.ts";

test("a fragment's lines are requests; comments and blank lines are not", () => {
	const text = '# Why.\nCONFIG_A=y\n\n# CONFIG_B is not set\nCONFIG_C="a b"\nCONFIG_D=100\n#CONFIG_E=y\n';
	expect(parseFragment(text)).toEqual([
		{ symbol: "CONFIG_A", value: "y" },
		{ symbol: "CONFIG_B", value: undefined },
		{ symbol: "CONFIG_C", value: '"a b"' },
		{ symbol: "CONFIG_D", value: "100" },
	]);
});

test.each([
	["what was dropped", "CONFIG_A=y", "CONFIG_B=y", ["CONFIG_A=y"]],
	["what came out as no", "CONFIG_A=y", "# CONFIG_A is not set", ["CONFIG_A=y"]],
	["what became a module", "CONFIG_A=y", "CONFIG_A=m", ["CONFIG_A=y"]],
	["another number", "CONFIG_HZ=100", "CONFIG_HZ=250", ["CONFIG_HZ=100"]],
	["what something else selected", "# CONFIG_A is not set", "CONFIG_A=y", ["# CONFIG_A is not set"]],
	["nothing: fulfilled", "CONFIG_A=y\n# CONFIG_B is not set", "CONFIG_A=y\n# CONFIG_B is not set", []],
	["nothing: off because the kernel does not know it", "# CONFIG_B is not set", "CONFIG_A=y", []],
	["a longer name that only begins alike", "CONFIG_XEN=y", "CONFIG_XEN_PV=y", ["CONFIG_XEN=y"]],
])("an unmet request is named: %s", (_, fragment, config, unmet) => {
	expect(unmetRequests(fragment, config)).toEqual(unmet);
});

test("our own fragment says each thing once, and closes the doors that matter", async () => {
	const requests = parseFragment(await readFile(KERNEL_FRAGMENT, "utf8"));
	const symbols = requests.map(({ symbol }) => symbol);
	expect(symbols.filter((symbol, at) => symbols.indexOf(symbol) !== at)).toEqual([]);
	const asked = new Map(requests.map(({ symbol, value }) => [symbol, value]));
	const protections = ["SECCOMP_FILTER", "STRICT_KERNEL_RWX", "STACKPROTECTOR_STRONG", "XEN_PRIVCMD"];
	const nics = ["XEN_NETDEV_FRONTEND", "TUN", "BRIDGE"];
	for (const symbol of [...protections, ...nics])
		expect([symbol, asked.get(`CONFIG_${symbol}`)]).toEqual([symbol, "y"]);
	for (const symbol of ["MODULES", "KEXEC", "DEVMEM", "BPF_SYSCALL", "IO_URING", "USERFAULTFD"]) {
		expect(symbols).toContain(`CONFIG_${symbol}`);
		expect([symbol, asked.get(`CONFIG_${symbol}`)]).toEqual([symbol, undefined]);
	}
});
