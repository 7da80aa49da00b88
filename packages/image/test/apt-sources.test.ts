import { describe, expect, it } from "vitest";
import { parseDeb822Sources, parseSourcesList, renderSourcesList, sourcesForRelease } from "../src/apt-sources.ts";
import { parseUris } from "../src/debian-packages.ts";

const DEB822 = `Types: deb deb-src
# a comment in the middle
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main

Types: deb
Enabled: no
URIs: http://off.example/debian
Suites: bookworm
Components: main

Types: deb
URIs: https://vendor.example/apt
Suites: bookworm
Components: main
Signed-By: /usr/share/keyrings/vendor.gpg

Types: deb
URIs: https://other.example/apt
Suites: nodistro
Components: main
`;

describe("sourcesForRelease", () => {
	it("takes Debian's own archives from deb822 and swaps the suite", () => {
		const chosen = sourcesForRelease(parseDeb822Sources(DEB822), "bookworm", "trixie");
		expect(renderSourcesList(chosen)).toBe(
			[
				"deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://mirror.example/debian trixie main",
				"deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://mirror.example/debian trixie-updates main",
				"deb http://mirror.example/debian-security trixie-security main",
				"",
			].join("\n"),
		);
	});

	it("reads the one-line style with options, and leaves out sources and foreign components", () => {
		const sources = parseSourcesList(
			[
				"deb [arch=amd64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://a.example/debian bookworm main # why",
				"deb-src http://a.example/debian bookworm main",
				"#deb http://b.example/debian bookworm main",
				"deb http://c.example/docker bookworm stable",
			].join("\n"),
		);
		expect(sourcesForRelease(sources, "bookworm", "bookworm")).toEqual([
			{
				uris: ["http://a.example/debian"],
				suites: ["bookworm"],
				components: ["main"],
				signedBy: "/usr/share/keyrings/debian-archive-keyring.gpg",
			},
		]);
	});

	it("says so when nothing of Debian is left", () => {
		expect(() => sourcesForRelease([], "bookworm", "trixie")).toThrow("name no Debian archive");
	});
});

describe("parseUris", () => {
	it("reads apt's lines and decodes the epoch", () => {
		const text = [
			"Reading package lists...",
			"'http://m.example/pool/q.deb' qemu-system-xen_1%3a7.2+dfsg-7+deb12u18+b3_amd64.deb 2790000 SHA256:00",
			"'http://m.example/pool/b.deb' busybox-static_1%3a1.35.0-4_amd64.deb 900 SHA256:11",
		].join("\n");
		expect(parseUris(text)).toEqual([
			{ name: "busybox-static", version: "1:1.35.0-4", file: "busybox-static_1%3a1.35.0-4_amd64.deb", sizeBytes: 900 },
			{
				name: "qemu-system-xen",
				version: "1:7.2+dfsg-7+deb12u18+b3",
				file: "qemu-system-xen_1%3a7.2+dfsg-7+deb12u18+b3_amd64.deb",
				sizeBytes: 2790000,
			},
		]);
	});
});
