import { type DebianPackages, PackageNotFoundError } from "@bulkhead/image";

/** What the lab's dom0 is made of; the packages they depend on come along. */
const DOM0_PACKAGES = [
	"bash",
	"busybox-static",
	"coreutils",
	"dash",
	"grub-xen-host",
	"iproute2",
	"ipxe-qemu",
	"kmod",
	"libgcc-s1",
	"libstdc++6",
	"mount",
	"nbd-client",
	"openssh-server",
	"ovmf",
	"procps",
	"qemu-system-xen",
	"qemu-utils",
	"runit",
	"seabios",
	"socat",
	"strace",
	"util-linux",
	"xen-system-amd64",
	"xenstore-utils",
	"xz-utils",
] as const;

/** What compiling against the lab's Xen takes. */
const SYSROOT_PACKAGES = ["libxen-dev"] as const;

export interface HostPackages {
	/** Tree with Xen, its tools and dom0's programs. */
	tree: string;
	/** Tree with the kernel and its modules alone. */
	kernelTree: string;
	/** Tree with libxen-dev and the libraries it links to. */
	sysroot: string;
	/** Release of the kernel, as `uname -r` prints it. */
	kernelRelease: string;
	/** Two numbers, `4.17`. */
	xenSeries: string;
	/** Every package with its version, for cache keys. */
	versions: string;
	/** Versions a person asks for. */
	xenVersion: string;
	kernelVersion: string;
	qemuVersion: string;
}

/** Resolves, fetches and unpacks the packages of the lab's host. */
export async function fetchHostPackages(debian: DebianPackages): Promise<HostPackages> {
	const userland = await debian.versions(DOM0_PACKAGES, { dependencies: true });
	const kernelClosure = await debian.versions(["linux-image-amd64"], { dependencies: true });
	const hypervisor = userland.find(({ name }) => /^xen-hypervisor-[\d.]+-amd64$/.test(name));
	const kernel = kernelClosure.find(({ name }) => /^linux-image-\d.*-amd64$/.test(name));
	const qemu = userland.find(({ name }) => name === "qemu-system-xen");
	if (!hypervisor || !kernel || !qemu) {
		throw new PackageNotFoundError("package-not-found", `Debian ${debian.release} has no complete Xen host`, {
			fields: { release: debian.release, hypervisor: hypervisor?.name, kernel: kernel?.name, qemu: qemu?.name },
			remedy: "Choose another release with --release",
		});
	}
	return {
		tree: await debian.unpack(DOM0_PACKAGES, { dependencies: true }),
		kernelTree: await debian.unpack([kernel.name]),
		sysroot: await debian.unpack(SYSROOT_PACKAGES, { dependencies: true }),
		kernelRelease: kernel.name.replace(/^linux-image-/, ""),
		xenSeries: hypervisor.name.replace(/^xen-hypervisor-|-amd64$/g, ""),
		versions: [...userland, kernel].map(({ name, version }) => `${name}=${version}`).join(" "),
		xenVersion: hypervisor.version,
		kernelVersion: kernel.version,
		qemuVersion: qemu.version,
	};
}
