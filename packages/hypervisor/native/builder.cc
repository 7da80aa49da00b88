#include "builder.h"

#include <string.h>
#include <sys/mman.h>

#include "arguments.h"
#include "file-contents.h"
#include "xc-session.h"

namespace bulkhead {

using Napi::CallbackInfo;
using Napi::Value;

static constexpr size_t kMaxKernel = size_t{256} << 20;
static constexpr size_t kMaxRamdisk = size_t{1} << 30;
static constexpr size_t kMaxFirmware = size_t{16} << 20;
static constexpr uint64_t kMaxMemoryKiB = uint64_t{1} << 32;  // 4 TiB
static constexpr uint32_t kMaxVcpus = 128;
// xen.h: MAX_GUEST_CMDLINE, with its terminator.
static constexpr size_t kMaxCommandLine = 1023;
static constexpr uint64_t kFourGiB = uint64_t{1} << 32;
static constexpr uint64_t kOneMiB = uint64_t{1} << 20;
static constexpr size_t kMaxTables = size_t{1} << 20;
// PVH: where the ACPI tables lie (guest-builder.ts: PVH_ACPI), at the end of the low memory; and the builder's own pages.
static constexpr uint64_t kAcpiStart = 0xfc000000;
static constexpr uint64_t kAcpiBytes = uint64_t{1} << 20;
static constexpr uint64_t kSpecialStart = 0xfeff8000;
static constexpr uint64_t kSpecialBytes = 8 * 4096;
// Guest frames 0xA0 … 0xBF are video memory of a PC.
static constexpr uint64_t kVgaHolePages = 0x20;

namespace {

struct Target {
	uint32_t domid, maxVcpus, storePort, consolePort;
};

// The image under construction. Buffers that it points to belong to the caller and must outlive it.
class Image {
   public:
	Image(XcSession &session, const char *commandLine, const char *features) {
		errno = 0;
		dom_ = xc_dom_allocate(session.xc(), commandLine, features);
		if (!dom_) session.fail("xc_dom_allocate", errno ? errno : ENOMEM);
	}
	~Image() {
		// The memory map is ours, not the library's.
		dom_->e820 = nullptr;
		dom_->e820_entries = 0;
		xc_dom_release(dom_);
	}
	Image(const Image &) = delete;
	Image &operator=(const Image &) = delete;
	xc_dom_image *operator->() { return dom_; }
	xc_dom_image *get() { return dom_; }

   private:
	xc_dom_image *dom_;
};

}  // namespace

static Target readTarget(const Napi::Object &request) {
	Target target;
	target.domid = readUint32(request.Get("domid"), "domid", 1, kMaxDomid);
	target.maxVcpus = readUint32(request.Get("maxVcpus"), "maxVcpus", 1, kMaxVcpus);
	target.storePort = readPort(request.Get("storePort"), "storePort");
	target.consolePort = readPort(request.Get("consolePort"), "consolePort");
	return target;
}

// The library counts in MiB: anything finer would silently be cut off.
static uint64_t readMemory(Napi::Value value, const char *name, uint64_t minKiB) {
	uint64_t kib = readInteger(value, name, minKiB, kMaxMemoryKiB);
	if (kib % 1024 != 0) throw Napi::TypeError::New(value.Env(), std::string(name) + " must be whole MiB");
	return kib;
}

static void describeTarget(Image &image, const Target &target) {
	image->console_evtchn = target.consolePort;
	image->console_domid = 0;
	image->xenstore_evtchn = target.storePort;
	image->xenstore_domid = 0;
	image->max_vcpus = target.maxVcpus;
}

// Maximum and start of a domain with a hardware container: less than the maximum is populated on demand.
struct Memory {
	uint64_t maxKiB, targetKiB;
};

static Memory readContainerMemory(const Napi::Object &request, const char *targetName, uint64_t minKiB) {
	Memory memory;
	memory.maxKiB = readMemory(request.Get("maxMemoryKiB"), "maxMemoryKiB", minKiB);
	memory.targetKiB = readMemory(request.Get(targetName), targetName, minKiB);
	if (memory.targetKiB > memory.maxKiB)
		throw Napi::TypeError::New(request.Env(), std::string(targetName) + " is more than maxMemoryKiB");
	return memory;
}

static void loadMemory(XcSession &session, Image &image, uint32_t domid, uint64_t memoryKiB) {
	session.step("xc_dom_boot_xen_init", [&](xc_interface *xc) { return xc_dom_boot_xen_init(image.get(), xc, domid); });
	session.step("xc_dom_parse_image", [&](xc_interface *) { return xc_dom_parse_image(image.get()); });
	session.step("xc_dom_mem_init", [&](xc_interface *) {
		return xc_dom_mem_init(image.get(), static_cast<unsigned>(memoryKiB / 1024));
	});
	session.step("xc_dom_boot_mem_init", [&](xc_interface *) { return xc_dom_boot_mem_init(image.get()); });
}

static void loadImage(XcSession &session, Image &image) {
	session.step("xc_dom_build_image", [&](xc_interface *) { return xc_dom_build_image(image.get()); });
	session.step("xc_dom_boot_image", [&](xc_interface *) { return xc_dom_boot_image(image.get()); });
	// Seeds grant table entries 0 (console page) and 1 (xenstore page) for domain 0.
	session.step("xc_dom_gnttab_init", [&](xc_interface *) { return xc_dom_gnttab_init(image.get()); });
}

static Settle frames(uint64_t store, uint64_t console) {
	return [=](Napi::Env env) -> Value {
		Napi::Object result = Napi::Object::New(env);
		result.Set("storeFrame", Napi::Number::New(env, static_cast<double>(store)));
		result.Set("consoleFrame", Napi::Number::New(env, static_cast<double>(console)));
		return result;
	};
}

// buildPv({ domid, maxVcpus, storePort, consolePort, memoryKiB, kernel, ramdisk ("" for none), commandLine })
static Value buildPv(const CallbackInfo &info) {
	Napi::Object request = readObject(info[0], "request");
	Target target = readTarget(request);
	uint64_t memoryKiB = readMemory(request.Get("memoryKiB"), "memoryKiB", 1024);
	std::string kernelPath = readPath(request.Get("kernel"), "kernel");
	std::string ramdiskPath = readText(request.Get("ramdisk"), "ramdisk", 4095);
	std::string commandLine = readText(request.Get("commandLine"), "commandLine", kMaxCommandLine);
	return runWithSession(info.Env(), [=](XcSession &session) -> Settle {
		std::vector<uint8_t> kernel = readFile("kernel", kernelPath, kMaxKernel);
		std::vector<uint8_t> ramdisk;
		if (!ramdiskPath.empty()) ramdisk = readFile("ramdisk", ramdiskPath, kMaxRamdisk);

		session.step("xc_dom_loginit", [](xc_interface *xc) { return xc_dom_loginit(xc); });
		Image image(session, commandLine.c_str(), "");
		image->container_type = xc_dom_image::XC_DOM_PV_CONTAINER;
		session.step("xc_dom_kernel_mem",
		             [&](xc_interface *) { return xc_dom_kernel_mem(image.get(), kernel.data(), kernel.size()); });
		if (!ramdisk.empty())
			session.step("xc_dom_module_mem", [&](xc_interface *) {
				return xc_dom_module_mem(image.get(), ramdisk.data(), ramdisk.size(), nullptr);
			});
		describeTarget(image, target);
		loadMemory(session, image, target.domid, memoryKiB);
		loadImage(session, image);
		return frames(xc_dom_p2m(image.get(), image->xenstore_pfn), xc_dom_p2m(image.get(), image->console_pfn));
	});
}

// RAM from `start` up to the hole below 4 GiB, and what is left from 4 GiB on.
static unsigned layOutMemory(Image &image, uint64_t bytes, uint64_t start, uint64_t holeStart, e820entry *map) {
	image->mmio_start = holeStart;
	image->mmio_size = kFourGiB - holeStart;
	image->lowmem_end = bytes < holeStart ? bytes : holeStart;
	image->highmem_end = bytes > holeStart ? kFourGiB + (bytes - holeStart) : 0;
	unsigned count = 0;
	map[count++] = {start, image->lowmem_end - start, 1 /* E820_RAM */};
	if (image->highmem_end != 0) map[count++] = {kFourGiB, image->highmem_end - kFourGiB, 1};
	return count;
}

namespace {

struct HvmInfo {
	uint32_t vcpus, maxVcpus;
	bool apic;
};

}  // namespace

// Completes the table that the library wrote with defaults for hvmloader (hvm_info_table.h).
// Maps one frame of the guest and unmaps it again before returning; nothing else sees the address. The guest is
// paused, but its `length` is copied and checked all the same.
static void completeHvmInfo(XcSession &session, uint32_t domid, const HvmInfo &wanted) {
	xenforeignmemory_handle *memory = xc_interface_fmem_handle(session.xc());
	xen_pfn_t frame = HVM_INFO_PFN;
	errno = 0;
	void *page = xenforeignmemory_map(memory, domid, PROT_READ | PROT_WRITE, 1, &frame, nullptr);
	if (!page) session.fail("xenforeignmemory_map of the hvm_info page", errno);

	auto *table = reinterpret_cast<hvm_info_table *>(static_cast<uint8_t *>(page) + HVM_INFO_OFFSET);
	bool recognised = table->length == sizeof *table;
	if (recognised) {
		table->apic_mode = wanted.apic;
		table->nr_vcpus = wanted.maxVcpus;
		memset(table->vcpu_online, 0, sizeof table->vcpu_online);
		for (uint32_t vcpu = 0; vcpu < wanted.vcpus; vcpu++) table->vcpu_online[vcpu / 8] |= uint8_t(1u << (vcpu % 8));
		table->checksum = 0;
		uint8_t sum = 0;
		for (size_t i = 0; i < sizeof *table; i++) sum = uint8_t(sum + reinterpret_cast<uint8_t *>(table)[i]);
		table->checksum = uint8_t(-sum);
	}
	xenforeignmemory_unmap(memory, page, 1);
	if (!recognised) session.fail("hvm_info table of an unknown layout", EPROTO);
}

static void attach(xc_hvm_firmware_module &module, std::vector<uint8_t> &bytes) {
	module.data = bytes.data();
	module.length = static_cast<uint32_t>(bytes.size());
}

static void addModule(Napi::Env env, Napi::Object result, const char *name, uint64_t address, uint32_t length) {
	if (length == 0) return;
	Napi::Object table = Napi::Object::New(env);
	table.Set("address", Napi::Number::New(env, static_cast<double>(address)));
	table.Set("length", Napi::Number::New(env, length));
	result.Set(name, table);
}

// buildHvm({ domid, maxVcpus, vcpus, storePort, consolePort, memoryKiB, maxMemoryKiB, videoMemoryKiB, mmioHoleMiB, apic,
// firmware, bios, acpiFirmware, smbiosFirmware ("" for none) })
static Value buildHvm(const CallbackInfo &info) {
	Napi::Object request = readObject(info[0], "request");
	Target target = readTarget(request);
	Memory memory = readContainerMemory(request, "memoryKiB", 4096);
	uint64_t videoKiB = readMemory(request.Get("videoMemoryKiB"), "videoMemoryKiB", 0);
	if (memory.targetKiB < videoKiB + 4096)
		throw Napi::TypeError::New(info.Env(), "videoMemoryKiB leaves less than 4 MiB of RAM");
	uint64_t holeStart = kFourGiB - (readInteger(request.Get("mmioHoleMiB"), "mmioHoleMiB", 256, 3840) << 20);
	HvmInfo wanted = {readUint32(request.Get("vcpus"), "vcpus", 1, target.maxVcpus), target.maxVcpus,
	                  readBoolean(request.Get("apic"), "apic")};
	std::string firmwarePath = readPath(request.Get("firmware"), "firmware");
	std::string biosPath = readPath(request.Get("bios"), "bios");
	std::string acpiPath = readText(request.Get("acpiFirmware"), "acpiFirmware", 4095);
	std::string smbiosPath = readText(request.Get("smbiosFirmware"), "smbiosFirmware", 4095);
	return runWithSession(info.Env(), [=](XcSession &session) -> Settle {
		std::vector<uint8_t> firmware = readFile("firmware", firmwarePath, kMaxFirmware);
		std::vector<uint8_t> bios = readFile("BIOS", biosPath, kMaxFirmware);
		std::vector<uint8_t> acpi, smbios;
		if (!acpiPath.empty()) acpi = readFile("ACPI firmware", acpiPath, kMaxTables);
		if (!smbiosPath.empty()) smbios = readFile("SMBIOS firmware", smbiosPath, kMaxTables);
		e820entry map[2];

		session.step("xc_dom_loginit", [](xc_interface *xc) { return xc_dom_loginit(xc); });
		Image image(session, "", nullptr);
		image->container_type = xc_dom_image::XC_DOM_HVM_CONTAINER;
		image->device_model = true;
		session.step("xc_dom_kernel_mem",
		             [&](xc_interface *) { return xc_dom_kernel_mem(image.get(), firmware.data(), firmware.size()); });
		attach(image->system_firmware_module, bios);
		if (!acpi.empty()) attach(image->acpi_modules[0], acpi);
		if (!smbios.empty()) attach(image->smbios_module, smbios);
		describeTarget(image, target);
		// The device model populates video memory itself, later.
		uint64_t ramKiB = memory.maxKiB - videoKiB;
		image->target_pages = (memory.targetKiB - videoKiB) / 4;
		image->vga_hole_size = kVgaHolePages;
		unsigned entries = layOutMemory(image, ramKiB * 1024, kOneMiB, holeStart, map);
		loadMemory(session, image, target.domid, ramKiB);
		session.call("xc_domain_set_memory_map",
		             [&](xc_interface *xc) { return xc_domain_set_memory_map(xc, target.domid, map, entries); });
		image->e820 = map;
		image->e820_entries = entries;
		loadImage(session, image);
		completeHvmInfo(session, target.domid, wanted);
		uint64_t acpiAddress = image->acpi_modules[0].guest_addr_out, smbiosAddress = image->smbios_module.guest_addr_out;
		uint32_t acpiLength = image->acpi_modules[0].length, smbiosLength = image->smbios_module.length;
		return [=, settle = frames(image->xenstore_pfn, image->console_pfn)](Napi::Env env) -> Value {
			Napi::Object result = settle(env).As<Napi::Object>();
			addModule(env, result, "acpiTable", acpiAddress, acpiLength);
			addModule(env, result, "smbiosTable", smbiosAddress, smbiosLength);
			return result;
		};
	});
}

namespace {

struct Piece {
	uint64_t address;
	std::vector<uint8_t> bytes;
};

}  // namespace

static std::vector<Piece> readPieces(Value value) {
	if (!value.IsArray()) throw Napi::TypeError::New(value.Env(), "acpi must be an array");
	Napi::Array array = value.As<Napi::Array>();
	if (array.Length() > MAX_ACPI_MODULES) throw Napi::TypeError::New(value.Env(), "acpi has too many pieces");
	std::vector<Piece> pieces;
	for (uint32_t i = 0; i < array.Length(); i++) {
		Napi::Object given = readObject(array.Get(i), "piece");
		Value bytes = given.Get("bytes");
		if (!bytes.IsTypedArray() || bytes.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array)
			throw Napi::TypeError::New(value.Env(), "bytes must be a Uint8Array");
		Napi::Uint8Array array8 = bytes.As<Napi::Uint8Array>();
		if (array8.ByteLength() < 1 || array8.ByteLength() > kAcpiBytes)
			throw Napi::TypeError::New(value.Env(), "bytes has a wrong length");
		Piece piece;
		piece.address = readInteger(given.Get("address"), "address", kAcpiStart, kAcpiStart + kAcpiBytes - array8.ByteLength());
		piece.bytes.assign(array8.Data(), array8.Data() + array8.ByteLength());
		pieces.push_back(std::move(piece));
	}
	return pieces;
}

// buildPvh({ domid, maxVcpus, storePort, consolePort, memoryKiB, maxMemoryKiB, kernel, ramdisk ("" for none),
// commandLine, acpi: [{ address, bytes }] })
static Value buildPvh(const CallbackInfo &info) {
	Napi::Object request = readObject(info[0], "request");
	Target target = readTarget(request);
	Memory memory = readContainerMemory(request, "memoryKiB", 4096);
	std::string kernelPath = readPath(request.Get("kernel"), "kernel");
	std::string ramdiskPath = readText(request.Get("ramdisk"), "ramdisk", 4095);
	std::string commandLine = readText(request.Get("commandLine"), "commandLine", kMaxCommandLine);
	std::vector<Piece> acpi = readPieces(request.Get("acpi"));
	return runWithSession(info.Env(), [=](XcSession &session) mutable -> Settle {
		std::vector<uint8_t> kernel = readFile("kernel", kernelPath, kMaxKernel);
		std::vector<uint8_t> ramdisk;
		if (!ramdiskPath.empty()) ramdisk = readFile("ramdisk", ramdiskPath, kMaxRamdisk);
		// RAM below and above 4 GiB, the special pages, the ACPI tables.
		e820entry map[4] = {};

		session.step("xc_dom_loginit", [](xc_interface *xc) { return xc_dom_loginit(xc); });
		Image image(session, commandLine.c_str(), nullptr);
		image->container_type = xc_dom_image::XC_DOM_HVM_CONTAINER;
		image->device_model = false;
		session.step("xc_dom_kernel_mem",
		             [&](xc_interface *) { return xc_dom_kernel_mem(image.get(), kernel.data(), kernel.size()); });
		if (!ramdisk.empty())
			session.step("xc_dom_module_mem", [&](xc_interface *) {
				return xc_dom_module_mem(image.get(), ramdisk.data(), ramdisk.size(), nullptr);
			});
		describeTarget(image, target);
		image->target_pages = memory.targetKiB / 4;
		bool hasHigh = layOutMemory(image, memory.maxKiB * 1024, 0, kAcpiStart, map) == 2;
		e820entry high = map[1];
		unsigned entries = 1;
		if (!acpi.empty()) map[entries++] = {kAcpiStart, kAcpiBytes, 3 /* ACPI */};
		map[entries++] = {kSpecialStart, kSpecialBytes, 2 /* reserved */};
		if (hasHigh) map[entries++] = high;
		for (size_t i = 0; i < acpi.size(); i++) {
			attach(image->acpi_modules[i], acpi[i].bytes);
			image->acpi_modules[i].guest_addr_out = acpi[i].address;
		}
		loadMemory(session, image, target.domid, memory.maxKiB);
		session.call("xc_domain_set_memory_map",
		             [&](xc_interface *xc) { return xc_domain_set_memory_map(xc, target.domid, map, entries); });
		image->e820 = map;
		image->e820_entries = entries;
		loadImage(session, image);
		return frames(image->xenstore_pfn, image->console_pfn);
	});
}

void exportBuilder(Napi::Env env, Napi::Object exports) {
	exports.Set("buildPv", Napi::Function::New(env, buildPv, "buildPv"));
	exports.Set("buildHvm", Napi::Function::New(env, buildHvm, "buildHvm"));
	exports.Set("buildPvh", Napi::Function::New(env, buildPvh, "buildPvh"));
}

}  // namespace bulkhead
