import { HypervisorError } from "../errors.ts";
import { type AddonName, addonPath } from "./addon-path.ts";
import type { ControlAddon, RingsAddon } from "./addon-shapes.ts";

interface Addons {
	xenrings: RingsAddon;
	xenctrl: ControlAddon;
}

const loaded = new Map<string, unknown>();

/**
 * Loads an addon on first use.
 * @throws HypervisorError when it is not installed, or Xen's libraries are missing or of another version
 */
export function loadAddon<Name extends AddonName>(name: Name): Addons[Name] {
	const path = addonPath(name);
	const known = loaded.get(path);
	if (known) return known as Addons[Name];
	const module = { exports: {} };
	try {
		process.dlopen(module, path);
	} catch (error) {
		throw loadError(path, error);
	}
	loaded.set(path, module.exports);
	return module.exports as Addons[Name];
}

/** The dynamic linker's sentence, sorted into what the reader can do about it. */
export function loadError(path: string, error: unknown): HypervisorError {
	const text = error instanceof Error ? error.message : String(error);
	const library = /(libxen[a-z]+\.so[.\d]*): cannot open shared object/.exec(text)?.[1];
	if (library)
		return new HypervisorError(`Xen's library ${library} is not on this machine`, {
			errno: "ENOENT",
			fields: { path, library },
			remedy: /libxen(?:ctrl|guest)\.so/.test(library)
				? "Run in a control domain with the Xen that the addon was built for, or build the addon for this one"
				: "Install Xen's run-time libraries",
			cause: error,
		});
	return new HypervisorError(`The native addon ${path} could not be loaded`, {
		fields: { path },
		remedy: "Build the addon again for this Xen and this Node",
		cause: error,
	});
}
