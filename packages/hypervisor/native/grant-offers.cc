#include "grant-offers.h"

#include <errno.h>

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

static constexpr size_t kPageBytes = 4096;
// Two of vchan's largest rings.
static constexpr uint32_t kMaxPages = 512;

namespace {

// The open device. Offers hold a share, so it closes after the last of them has gone.
struct GntallocHandle {
	CapturedLog log;
	xengntshr_handle *handle = nullptr;
	GntallocHandle() {
		errno = 0;
		handle = xengntshr_open(log.logger(), 0);
		if (!handle) throw Failure{"xengntshr_open", errno, log.lines()};
	}
	~GntallocHandle() {
		if (handle) xengntshr_close(handle);
	}
};

}  // namespace

class GrantOffers : public Napi::ObjectWrap<GrantOffers> {
   public:
	explicit GrantOffers(const CallbackInfo &info) : ObjectWrap(info) {
		try {
			device_ = std::make_shared<GntallocHandle>();
		} catch (Failure &failure) {
			throw toError(info.Env(), failure);
		}
	}

	static Napi::Function define(Napi::Env env) {
		return DefineClass(env, "GrantOffers",
		                   {InstanceMethod("offer", &GrantOffers::offer), InstanceMethod("unmap", &GrantOffers::unmap),
		                    InstanceMethod("close", &GrantOffers::close)});
	}

   private:
	// offer(domid, pages, notifyOffset?, notifyPort?) → {buffer, refs}.
	//
	// Why: a vchan's server gives the memory of its rings.
	// Safe because: the kernel allocates fresh zeroed pages, of a bounded number, and keeps them for as long as the other
	// domain maps them; the ArrayBuffer spans exactly those pages and owns our mapping from here on (see MappingTable).
	Napi::Value offer(const CallbackInfo &info) {
		uint32_t domid = readDomid(info[0]);
		uint32_t pages = readUint32(info[1], "pages", 1, kMaxPages);
		bool notify = !info[2].IsUndefined();
		uint32_t offset = notify ? readUint32(info[2], "notifyOffset", 0, kPageBytes - 1) : 0;
		uint32_t port = notify ? readPort(info[3], "notifyPort") : 0;
		if (notify && pages != 1) throw Napi::TypeError::New(info.Env(), "An end's notification needs an offer of one page");
		if (!device_) throw toError(info.Env(), Failure{"grant offer", EBADF, {"the grant device is closed"}});

		device_->log.clear();
		errno = 0;
		std::vector<uint32_t> refs(pages);
		void *address = notify ? xengntshr_share_page_notify(device_->handle, domid, refs.data(), 1, offset, port)
		                       : xengntshr_share_pages(device_->handle, domid, static_cast<int>(pages), refs.data(), 1);
		if (!address) throw toError(info.Env(), Failure{"xengntshr_share_pages", errno, device_->log.lines()});
		Napi::ArrayBuffer buffer = table_->add(info.Env(), address, pages * kPageBytes, [device = device_, address, pages] {
			// It can only fail for an address that is no mapping of this handle.
			xengntshr_unshare(device->handle, address, pages);
		});
		Napi::Array list = Napi::Array::New(info.Env(), pages);
		for (uint32_t index = 0; index < pages; index++) list.Set(index, Napi::Number::New(info.Env(), refs[index]));
		Napi::Object result = Napi::Object::New(info.Env());
		result.Set("buffer", buffer);
		result.Set("refs", list);
		return result;
	}

	// unmap(buffer) → whether it was a live offer. Detaches, then takes the pages back.
	Napi::Value unmap(const CallbackInfo &info) {
		if (!info[0].IsArrayBuffer()) throw Napi::TypeError::New(info.Env(), "buffer must be an ArrayBuffer");
		return Napi::Boolean::New(info.Env(), table_->remove(info[0].As<Napi::ArrayBuffer>()));
	}

	// No new offers. Those that live stay and hold the device open until they are taken back.
	void close(const CallbackInfo &) { device_.reset(); }

	std::shared_ptr<GntallocHandle> device_;
	std::shared_ptr<MappingTable> table_ = std::make_shared<MappingTable>();
};

void exportGrantOffers(Napi::Env env, Napi::Object exports) { exports.Set("GrantOffers", GrantOffers::define(env)); }

}  // namespace bulkhead
