#include "mapping-table.h"

#include <utility>

namespace bulkhead {

void MappingTable::Mapping::end() {
	if (!std::exchange(live, false)) return;
	if (auto owner = table.lock()) owner->live_.erase(address);
	std::exchange(unmap, nullptr)();
}

Napi::ArrayBuffer MappingTable::add(Napi::Env env, void *address, size_t bytes, std::function<void()> unmap) {
	auto mapping = std::make_shared<Mapping>();
	mapping->address = address;
	mapping->unmap = std::move(unmap);
	mapping->table = weak_from_this();
	auto *finalizerShare = new std::shared_ptr<Mapping>(mapping);
	napi_value buffer;
	napi_status status = napi_create_external_arraybuffer(
	    env, address, bytes,
	    [](napi_env, void *, void *hint) {
		    auto *share = static_cast<std::shared_ptr<Mapping> *>(hint);
		    (*share)->end();
		    delete share;
	    },
	    finalizerShare, &buffer);
	if (status != napi_ok) {
		delete finalizerShare;
		mapping->end();
		throw Napi::Error::New(env);
	}
	live_[address] = mapping;
	return Napi::ArrayBuffer(env, buffer);
}

bool MappingTable::remove(Napi::ArrayBuffer buffer) {
	if (buffer.IsDetached()) return false;
	auto found = live_.find(buffer.Data());
	if (found == live_.end()) return false;
	std::shared_ptr<Mapping> mapping = found->second;
	buffer.Detach();
	mapping->end();
	return true;
}

}  // namespace bulkhead
