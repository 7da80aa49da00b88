#include "grants.h"

#include <errno.h>
#include <sys/mman.h>

#include <memory>

#include "arguments.h"
#include "captured-log.h"
#include "failure.h"
#include "mapping-table.h"

extern "C" {
#include <xengnttab.h>
}

namespace bulkhead {

using Napi::CallbackInfo;
using Napi::Value;

static constexpr size_t kPageBytes = 4096;
// A control page has room for about a thousand references to ring pages (libxenvchan.h); the kernel's own bound is higher.
static constexpr size_t kMaxPages = 4096;

namespace {

// The open device. Mappings hold a share, so it closes after the last of them has gone.
struct GntdevHandle {
	CapturedLog log;
	xengnttab_handle *handle = nullptr;
	GntdevHandle() {
		errno = 0;
		handle = xengnttab_open(log.logger(), 0);
		if (!handle) throw Failure{"xengnttab_open", errno, log.lines()};
	}
	~GntdevHandle() {
		if (handle) xengnttab_close(handle);
	}
};

}  // namespace

class Grants : public Napi::ObjectWrap<Grants> {
   public:
	explicit Grants(const CallbackInfo &info) : ObjectWrap(info) {
		try {
			device_ = std::make_shared<GntdevHandle>();
		} catch (Failure &failure) {
			throw toError(info.Env(), failure);
		}
	}

	static Napi::Function define(Napi::Env env) {
		return DefineClass(env, "Grants",
		                   {InstanceMethod("map", &Grants::map), InstanceMethod("unmap", &Grants::unmap),
		                    InstanceMethod("close", &Grants::close)});
	}

   private:
	// map(domid, refs, writable, notifyOffset?, notifyPort?) → ArrayBuffer of refs.length pages.
	//
	// Why: rings of other domains are shared memory, and copying through the kernel would cost a system call per access.
	// Safe because: the number of pages is bounded; the kernel maps all of them or none; the ArrayBuffer spans exactly
	// those pages and owns them from here on (see MappingTable); a failure to make the ArrayBuffer unmaps at once.
	Napi::Value map(const CallbackInfo &info) {
		uint32_t domid = readDomid(info[0]);
		std::vector<uint64_t> wide = readIntegers(info[1], "refs", UINT32_MAX, kMaxPages);
		std::vector<uint32_t> refs(wide.begin(), wide.end());
		int protection = PROT_READ | (readBoolean(info[2], "writable") ? PROT_WRITE : 0);
		bool notify = !info[3].IsUndefined();
		uint32_t offset = notify ? readUint32(info[3], "notifyOffset", 0, kPageBytes - 1) : 0;
		uint32_t port = notify ? readPort(info[4], "notifyPort") : 0;
		if (notify && refs.size() != 1)
			throw Napi::TypeError::New(info.Env(), "An unmap notification needs a mapping of exactly one page");
		if (!device_) throw toError(info.Env(), Failure{"grant mapping", EBADF, {"the grant device is closed"}});

		device_->log.clear();
		errno = 0;
		void *address = notify ? xengnttab_map_grant_ref_notify(device_->handle, domid, refs[0], protection, offset, port)
		                       : xengnttab_map_domain_grant_refs(device_->handle, static_cast<uint32_t>(refs.size()), domid,
		                                                         refs.data(), protection);
		if (!address)
			throw toError(info.Env(), Failure{"xengnttab_map_grant_refs", errno, device_->log.lines()});
		auto pages = static_cast<uint32_t>(refs.size());
		return table_->add(info.Env(), address, pages * kPageBytes, [device = device_, address, pages] {
			// It can only fail for an address that is no mapping of this handle.
			xengnttab_unmap(device->handle, address, pages);
		});
	}

	// unmap(buffer) → whether it was a live mapping. Detaches, then unmaps: no view of it can fault afterwards.
	Napi::Value unmap(const CallbackInfo &info) {
		if (!info[0].IsArrayBuffer()) throw Napi::TypeError::New(info.Env(), "buffer must be an ArrayBuffer");
		return Napi::Boolean::New(info.Env(), table_->remove(info[0].As<Napi::ArrayBuffer>()));
	}

	// No new mappings. Those that live stay usable and hold the device open until they are unmapped.
	void close(const CallbackInfo &) { device_.reset(); }

	std::shared_ptr<GntdevHandle> device_;
	std::shared_ptr<MappingTable> table_ = std::make_shared<MappingTable>();
};

void exportGrants(Napi::Env env, Napi::Object exports) { exports.Set("Grants", Grants::define(env)); }

}  // namespace bulkhead
