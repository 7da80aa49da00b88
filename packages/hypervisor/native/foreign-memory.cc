#include "foreign-memory.h"

#include <errno.h>
#include <sys/mman.h>

#include <memory>

#include "arguments.h"
#include "captured-log.h"
#include "failure.h"
#include "mapping-table.h"

extern "C" {
#include <xenforeignmemory.h>
}

namespace bulkhead {

using Napi::CallbackInfo;
using Napi::Value;

static constexpr size_t kPageBytes = 4096;
// 64 MiB in one mapping: screens and saved pages; more is a mistake.
static constexpr size_t kMaxPages = 16384;
// 52 bits of physical address.
static constexpr uint64_t kMaxFrame = (uint64_t{1} << 40) - 1;

namespace {

// The open device. Mappings hold a share, so it closes after the last of them has gone.
struct PrivcmdHandle {
	CapturedLog log;
	xenforeignmemory_handle *handle = nullptr;
	PrivcmdHandle() {
		errno = 0;
		handle = xenforeignmemory_open(log.logger(), 0);
		if (!handle) throw Failure{"xenforeignmemory_open", errno, log.lines()};
	}
	~PrivcmdHandle() {
		if (handle) xenforeignmemory_close(handle);
	}
};

}  // namespace

class ForeignMemory : public Napi::ObjectWrap<ForeignMemory> {
   public:
	explicit ForeignMemory(const CallbackInfo &info) : ObjectWrap(info) {
		try {
			device_ = std::make_shared<PrivcmdHandle>();
		} catch (Failure &failure) {
			throw toError(info.Env(), failure);
		}
	}

	static Napi::Function define(Napi::Env env) {
		return DefineClass(env, "ForeignMemory",
		                   {InstanceMethod("map", &ForeignMemory::map), InstanceMethod("unmap", &ForeignMemory::unmap),
		                    InstanceMethod("close", &ForeignMemory::close)});
	}

   private:
	// map(domid, frames, writable) → ArrayBuffer of frames.length pages.
	//
	// Why: a toolstack reads and patches pages of a guest that granted nothing (console page, firmware tables, screen).
	// Safe because: the number of pages is bounded; without an error array the library maps every frame or none, so no
	// hole can fault; the hypervisor keeps a mapped page allocated even when its domain dies; the ArrayBuffer spans
	// exactly those pages and owns them from here on (see MappingTable).
	Napi::Value map(const CallbackInfo &info) {
		uint32_t domid = readDomid(info[0]);
		std::vector<uint64_t> wide = readIntegers(info[1], "frames", kMaxFrame, kMaxPages);
		std::vector<xen_pfn_t> frames(wide.begin(), wide.end());
		int protection = PROT_READ | (readBoolean(info[2], "writable") ? PROT_WRITE : 0);
		if (!device_) throw toError(info.Env(), Failure{"foreign mapping", EBADF, {"the privcmd device is closed"}});

		device_->log.clear();
		errno = 0;
		void *address =
		    xenforeignmemory_map(device_->handle, domid, protection, frames.size(), frames.data(), nullptr);
		if (!address) throw toError(info.Env(), Failure{"xenforeignmemory_map", errno, device_->log.lines()});
		size_t pages = frames.size();
		return table_->add(info.Env(), address, pages * kPageBytes, [device = device_, address, pages] {
			xenforeignmemory_unmap(device->handle, address, pages);
		});
	}

	// unmap(buffer) → whether it was a live mapping. Detaches, then unmaps: no view of it can fault afterwards.
	Napi::Value unmap(const CallbackInfo &info) {
		if (!info[0].IsArrayBuffer()) throw Napi::TypeError::New(info.Env(), "buffer must be an ArrayBuffer");
		return Napi::Boolean::New(info.Env(), table_->remove(info[0].As<Napi::ArrayBuffer>()));
	}

	// No new mappings. Those that live stay usable and hold the device open until they are unmapped.
	void close(const CallbackInfo &) { device_.reset(); }

	std::shared_ptr<PrivcmdHandle> device_;
	std::shared_ptr<MappingTable> table_ = std::make_shared<MappingTable>();
};

void exportForeignMemory(Napi::Env env, Napi::Object exports) {
	exports.Set("ForeignMemory", ForeignMemory::define(env));
}

}  // namespace bulkhead
