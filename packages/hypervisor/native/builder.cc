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

// RAM as the firmware shall see it: from 1 MiB up to the hole below 4 GiB, and what is left from 4 GiB on.
static unsigned layOutMemory(Image &image, uint64_t bytes, e820entry map[2]) {
	image->mmio_size = HVM_BELOW_4G_MMIO_LENGTH;
	image->mmio_start = kFourGiB - image->mmio_size;
	image->lowmem_end = bytes < image->mmio_start ? bytes : image->mmio_start;
	image->highmem_end = bytes > image->mmio_start ? kFourGiB + (bytes - image->mmio_start) : 0;
	image->vga_hole_size = kVgaHolePages;

	constexpr uint64_t kOneMiB = uint64_t{1} << 20;
	unsigned count = 0;
	map[count++] = {kOneMiB, image->lowmem_end - kOneMiB, 1 /* E820_RAM */};
	if (image->highmem_end != 0) map[count++] = {kFourGiB, image->highmem_end - kFourGiB, 1};
	return count;
}

// Completes the table that the library wrote with defaults for hvmloader (hvm_info_table.h).
// Maps one frame of the guest and unmaps it again before returning; nothing else sees the address. The guest is
// paused, but its `length` is copied and checked all the same.
static void completeHvmInfo(XcSession &session, uint32_t domid, uint32_t maxVcpus) {
	xenforeignmemory_handle *memory = xc_interface_fmem_handle(session.xc());
	xen_pfn_t frame = HVM_INFO_PFN;
	errno = 0;
	void *page = xenforeignmemory_map(memory, domid, PROT_READ | PROT_WRITE, 1, &frame, nullptr);
	if (!page) session.fail("xenforeignmemory_map of the hvm_info page", errno);

	auto *table = reinterpret_cast<hvm_info_table *>(static_cast<uint8_t *>(page) + HVM_INFO_OFFSET);
	bool recognised = table->length == sizeof *table;
	if (recognised) {
		table->apic_mode = 1;
		table->nr_vcpus = maxVcpus;
		memset(table->vcpu_online, 0, sizeof table->vcpu_online);
		for (uint32_t vcpu = 0; vcpu < maxVcpus; vcpu++) table->vcpu_online[vcpu / 8] |= uint8_t(1u << (vcpu % 8));
		table->checksum = 0;
		uint8_t sum = 0;
		for (size_t i = 0; i < sizeof *table; i++) sum = uint8_t(sum + reinterpret_cast<uint8_t *>(table)[i]);
		table->checksum = uint8_t(-sum);
	}
	xenforeignmemory_unmap(memory, page, 1);
	if (!recognised) session.fail("hvm_info table of an unknown layout", EPROTO);
}

// buildHvm({ domid, maxVcpus, storePort, consolePort, maxMemoryKiB, videoMemoryKiB, firmware, bios })
static Value buildHvm(const CallbackInfo &info) {
	Napi::Object request = readObject(info[0], "request");
	Target target = readTarget(request);
	uint64_t maxKiB = readMemory(request.Get("maxMemoryKiB"), "maxMemoryKiB", 4096);
	uint64_t videoKiB = readMemory(request.Get("videoMemoryKiB"), "videoMemoryKiB", 0);
	if (maxKiB < videoKiB + 4096) throw Napi::TypeError::New(info.Env(), "videoMemoryKiB leaves less than 4 MiB of RAM");
	std::string firmwarePath = readPath(request.Get("firmware"), "firmware");
	std::string biosPath = readPath(request.Get("bios"), "bios");
	return runWithSession(info.Env(), [=](XcSession &session) -> Settle {
		std::vector<uint8_t> firmware = readFile("firmware", firmwarePath, kMaxFirmware);
		std::vector<uint8_t> bios = readFile("BIOS", biosPath, kMaxFirmware);
		e820entry map[2];

		session.step("xc_dom_loginit", [](xc_interface *xc) { return xc_dom_loginit(xc); });
		Image image(session, "", nullptr);
		image->container_type = xc_dom_image::XC_DOM_HVM_CONTAINER;
		image->device_model = true;
		session.step("xc_dom_kernel_mem",
		             [&](xc_interface *) { return xc_dom_kernel_mem(image.get(), firmware.data(), firmware.size()); });
		image->system_firmware_module.data = bios.data();
		image->system_firmware_module.length = static_cast<uint32_t>(bios.size());
		describeTarget(image, target);
		// The device model populates video memory itself, later.
		uint64_t ramKiB = maxKiB - videoKiB;
		image->target_pages = ramKiB / 4;
		unsigned entries = layOutMemory(image, ramKiB * 1024, map);
		loadMemory(session, image, target.domid, ramKiB);
		session.call("xc_domain_set_memory_map",
		             [&](xc_interface *xc) { return xc_domain_set_memory_map(xc, target.domid, map, entries); });
		image->e820 = map;
		image->e820_entries = entries;
		loadImage(session, image);
		completeHvmInfo(session, target.domid, target.maxVcpus);
		return frames(image->xenstore_pfn, image->console_pfn);
	});
}

void exportBuilder(Napi::Env env, Napi::Object exports) {
	exports.Set("buildPv", Napi::Function::New(env, buildPv, "buildPv"));
	exports.Set("buildHvm", Napi::Function::New(env, buildHvm, "buildHvm"));
}

}  // namespace bulkhead
